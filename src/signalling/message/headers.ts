import { formatParameters, type Parameters, parseParameters, unquote } from './parameters.ts';
import { bareHost, formatHost, parseUri, type SipUri } from './uri.ts';

/** From, To, Contact, Route … (RFC 3261 §20.10): a URI with a display name and parameters. */
export interface NameAddr {
  readonly displayName: string;
  /** As it was written. */
  readonly uri: string;
  readonly parameters: Parameters;
}

/**
 * No two of its parts can match the same white space: where they could, a header full of blanks costs quadratic time.
 * The parts are trimmed afterwards instead.
 */
const NAME_ADDR = /^("(?:[^"\\]|\\.)*"\s*|[^"<]*)<([^>]*)>\s*(;.*)?$/s;

/** Null when the text is neither `name <uri>;params` nor `uri;params`. */
export function parseNameAddr(text: string): NameAddr | null {
  const match = NAME_ADDR.exec(text.trim());
  if (match !== null) {
    const uri = match[2]!.trim();
    if (uri === '' || /\s/.test(uri)) return null;
    return { displayName: unquote(match[1]!.trim()), uri, parameters: parseParameters(match[3] ?? '') };
  }
  // Without brackets, parameters belong to the header, not to the URI (§20), and the URI has no comma and no headers.
  const [first, ...rest] = text.split(';');
  const uri = first!.trim();
  if (!/^[a-z][a-z0-9+.-]*:[^\s<>",?]+$/i.test(uri)) return null;
  return { displayName: '', uri, parameters: parseParameters(rest.join(';')) };
}

export function parsedUri(address: NameAddr): SipUri | null {
  return parseUri(address.uri);
}

/** RFC 3261 §20.42. Its version is not looked at: what is said of that is said of the request. */
export interface Via {
  /** Upper case: UDP, TCP, TLS, WS, WSS. */
  readonly transport: string;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | null;
  readonly parameters: Parameters;
}

/** Parameters that are addresses. RFC 5118 §4.5: an IPv6 address stands there with its brackets or without. */
const ADDRESSES = ['received', 'maddr'] as const;

/** As with name-addr, no two neighbours can match the same white space. */
const VIA =
  /^SIP\s*\/\s*\d{1,3}\.\d{1,3}\s*\/\s*([a-z0-9-]+)\s+(\[[0-9a-f:.]+\]|[^\s:;,[\]]+)\s*(?::\s*(\d{1,5})\s*)?(;.*)?$/is;

export function parseVia(text: string): Via | null {
  const match = VIA.exec(text.trim());
  if (match === null) return null;
  const [, transport, host, portText, parameters] = match;
  const port = portText === undefined ? null : Number(portText);
  // A response may have to go there, and no socket takes such a port.
  if (port !== null && port > 65_535) return null;
  return {
    transport: transport!.toUpperCase(),
    host: bareHost(host!),
    port,
    parameters: withBareAddresses(parseParameters(parameters ?? '')),
  };
}

function withBareAddresses(parameters: Parameters): Parameters {
  const bracketed = ADDRESSES.filter(name => parameters.get(name)?.startsWith('['));
  if (bracketed.length === 0) return parameters;
  return new Map([...parameters, ...bracketed.map(name => [name, bareHost(parameters.get(name)!)] as const)]);
}

export function formatVia({ transport, host, port, parameters }: Via): string {
  const address = port === null ? formatHost(host) : `${formatHost(host)}:${port}`;
  return `SIP/2.0/${transport} ${address}${formatParameters(parameters)}`;
}

/** RFC 3261 §20.16. */
export interface CSeq {
  readonly number: number;
  readonly method: string;
}

export function parseCSeq(text: string): CSeq | null {
  const match = /^(\d{1,10})\s+([A-Za-z0-9.!%*_+`'~-]+)$/.exec(text.trim());
  if (match === null) return null;
  const number = Number(match[1]);
  // §8.1.1.5: less than 2^31.
  return number < 2 ** 31 ? { number, method: match[2]! } : null;
}
