import { isIPv6 } from 'node:net';
import { NO_PARAMETERS, type Parameters, parseParameters } from './parameters.ts';

/** A SIP or SIPS URI (RFC 3261 §19.1). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** Unescaped, without password; empty when there is none. */
  readonly user: string;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | null;
  /** Unescaped. */
  readonly parameters: Parameters;
  /** What stands after the question mark (§19.1.1), as it was written; null when there is none. */
  readonly headers: string | null;
}

const PATTERN =
  /^(sips?):(?:([^@<>\s"]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?((?:;[^?\s<>"]*)?)(?:\?([^\s<>"]*))?$/i;

/** Null when the text is no SIP or SIPS URI. */
export function parseUri(text: string): SipUri | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, scheme, userInfo = '', hostText, port, parameters, headers] = match;
  const host = bareHost(hostText!);
  if (hostText!.startsWith('[') && !isIPv6(host)) return null;
  const user = unescaped(userInfo.split(':', 1)[0]!);
  const portNumber = port === undefined ? null : Number(port);
  if (user === null || (portNumber !== null && portNumber > 65_535)) return null;
  return {
    scheme: scheme!.toLowerCase() as 'sip' | 'sips',
    user,
    host,
    port: portNumber,
    parameters: parameters === '' ? NO_PARAMETERS : unescapedParameters(parameters!),
    headers: headers ?? null,
  };
}

/** The scheme of any URI, in lower case; null when there is none. */
export function uriScheme(text: string): string | null {
  return /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? null;
}

/**
 * A host in lower case, an IPv6 address without its brackets. Three colons, which the grammar of RFC 3261 has some
 * write before an IPv4 part, are two (RFC 5118 §4.10).
 */
export function bareHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.startsWith('[') ? lower.replace(/^\[|\]$/g, '').replace(':::', '::') : lower;
}

/** An address as it stands in a URI or Via. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** §19.1.4: an escaped character is the character; once, and never again in what comes of it. */
function unescapedParameters(text: string): Parameters {
  const parameters = parseParameters(text);
  if (!text.includes('%')) return parameters;
  const plain = (part: string) => unescaped(part) ?? part;
  const pairs = [...parameters].map(
    ([name, value]) => [plain(name).toLowerCase(), value === null ? null : plain(value)] as const,
  );
  return new Map(pairs);
}

function unescaped(text: string): string | null {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
