import { NO_PARAMETERS, type Parameters, parseParameters } from './parameters.ts';

/** A SIP or SIPS URI (RFC 3261 §19.1). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** Unescaped, without password; empty when there is none. */
  readonly user: string;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | null;
  readonly parameters: Parameters;
}

const PATTERN =
  /^(sips?):(?:([^@<>\s"]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?((?:;[^?\s<>"]*)?)(?:\?[^\s<>"]*)?$/i;

/** Null when the text is no SIP or SIPS URI. */
export function parseUri(text: string): SipUri | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, scheme, userInfo = '', host, port, parameters] = match;
  const user = unescaped(userInfo.split(':', 1)[0]!);
  const portNumber = port === undefined ? null : Number(port);
  if (user === null || (portNumber !== null && portNumber > 65_535)) return null;
  return {
    scheme: scheme!.toLowerCase() as 'sip' | 'sips',
    user,
    host: host!.toLowerCase().replace(/^\[|\]$/g, ''),
    port: portNumber,
    parameters: parameters === '' ? NO_PARAMETERS : parseParameters(parameters!),
  };
}

/** The scheme of any URI, in lower case; null when there is none. */
export function uriScheme(text: string): string | null {
  return /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** An address as it stands in a URI or Via. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function unescaped(text: string): string | null {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
