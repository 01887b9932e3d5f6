import { parseNameAddr, parseUri, type SipUri } from '../message/index.ts';

/** The URI of a Path's value (RFC 3327 §4), as it will stand in a Route; null when no request could go there. */
export function parseRoute(text: string): SipUri | null {
  const address = parseNameAddr(text);
  return address === null ? null : parseUri(address.uri);
}
