import { type Parameters, parseUri, type SipUri } from '../message/index.ts';

/** Parameters that decide where a request goes, or what it is: a URI that lacks one is another URI. */
const DECISIVE = ['maddr', 'method', 'transport', 'ttl', 'user'];

interface Comparable extends Omit<SipUri, 'headers'> {
  readonly password: string | null;
  /** In an order of their own. */
  readonly headers: string | null;
}

/** Do two texts name the same thing (RFC 3261 §19.1.4)? Of other schemes than SIP's, only when they are the same text. */
export type UriEquality = (left: string, right: string) => boolean;

/** For as many comparisons as one request needs: each text is read once, since a stranger chose them. */
export function uriEquality(): UriEquality {
  const known = new Map<string, Comparable | null>();
  const read = (text: string): Comparable | null => {
    const uri = known.get(text) ?? comparable(text);
    known.set(text, uri);
    return uri;
  };
  return (left, right) => {
    if (left === right) return true;
    const [a, b] = [read(left), read(right)];
    if (a === null || b === null) return false;
    return (
      a.scheme === b.scheme &&
      a.user === b.user &&
      a.password === b.password &&
      a.host === b.host &&
      a.port === b.port &&
      a.headers === b.headers &&
      haveSame(a.parameters, b.parameters)
    );
  };
}

function comparable(text: string): Comparable | null {
  const uri = parseUri(text);
  if (uri === null) return null;
  const password = /^sips?:[^@:]*:([^@]*)@/i.exec(text)?.[1] ?? null;
  return { ...uri, password, headers: uri.headers === null ? null : sorted(uri.headers) };
}

function haveSame(a: Parameters, b: Parameters): boolean {
  if (DECISIVE.some(name => a.has(name) !== b.has(name))) return false;
  for (const [name, value] of a) {
    // Any other parameter counts only when both have it.
    if (b.has(name) && b.get(name)?.toLowerCase() !== value?.toLowerCase()) return false;
  }
  return true;
}

function sorted(headers: string): string {
  const pairs = headers.split('&').map(pair => {
    const [, name, value] = /^([^=]*)(.*)$/s.exec(pair)!;
    return name!.toLowerCase() + unescaped(value!);
  });
  return JSON.stringify(pairs.sort());
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
