import { createHash } from 'node:crypto';
import { splitUnquoted, unquote } from '../message/index.ts';

/** Of RFC 7616 §6.1, strongest first; the names stand so on the wire. */
export const DIGEST_ALGORITHMS = ['SHA-256', 'MD5'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

const HASHES: Readonly<Record<DigestAlgorithm, string>> = { 'SHA-256': 'sha256', MD5: 'md5' };

/** The value of an Authorization or Proxy-Authorization header with the Digest scheme (RFC 7616 §3.4). */
export interface DigestAnswer {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hexadecimal. */
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  /** Null in the answers of RFC 2069, which RFC 3261 §22.4 item 8 still lets clients give. */
  readonly quality: { readonly count: number; readonly countText: string; readonly clientNonce: string } | null;
}

const SCHEME = /^digest\s+/i;
const RESPONSE = /^[0-9a-f]+$/;
/** RFC 7616 §3.4: eight hexadecimal digits. */
const COUNT = /^[0-9a-f]{8}$/i;

/** The realm of a Digest answer, whatever else of it is broken; null when it has another scheme or none. */
export function digestRealm(value: string): string | null {
  return SCHEME.test(value) ? (digestParameters(value.replace(SCHEME, '')).get('realm') ?? null) : null;
}

/** Null when the value is no Digest answer, lacks something, or uses an algorithm or quality that is never offered. */
export function parseDigestAnswer(value: string): DigestAnswer | null {
  if (!SCHEME.test(value)) return null;
  const found = digestParameters(value.replace(SCHEME, ''));
  const [username, realm, nonce, uri] = ['username', 'realm', 'nonce', 'uri'].map(name => found.get(name));
  const response = found.get('response')?.toLowerCase();
  // RFC 7616 §3.4: who names no algorithm means MD5.
  const algorithmName = (found.get('algorithm') ?? 'MD5').toUpperCase();
  const algorithm = DIGEST_ALGORITHMS.find(name => name === algorithmName);
  if (username === undefined || realm === undefined || nonce === undefined || uri === undefined) return null;
  if (algorithm === undefined || response === undefined || !RESPONSE.test(response)) return null;
  if (!found.has('qop')) return { username, realm, nonce, uri, response, algorithm, quality: null };
  const [countText, clientNonce] = [found.get('nc'), found.get('cnonce')];
  if (found.get('qop')!.toLowerCase() !== 'auth' || clientNonce === undefined) return null;
  if (countText === undefined || !COUNT.test(countText)) return null;
  const quality = { count: Number.parseInt(countText, 16), countText, clientNonce };
  return { username, realm, nonce, uri, response, algorithm, quality };
}

/** Hexadecimal H(user:realm:password), RFC 7616 §3.4.2: what a store keeps instead of the password. */
export function digestHa1(algorithm: DigestAlgorithm, user: string, realm: string, password: string): string {
  return hash(algorithm, `${user}:${realm}:${password}`);
}

/** What `response` must be for this method when the secret is `ha1` (RFC 7616 §3.4.1, RFC 2069 without quality). */
export function digestResponse(answer: Omit<DigestAnswer, 'response'>, method: string, ha1: string): string {
  const { algorithm, nonce, uri, quality } = answer;
  const ha2 = hash(algorithm, `${method}:${uri}`);
  const middle = quality === null ? nonce : `${nonce}:${quality.countText}:${quality.clientNonce}:auth`;
  return hash(algorithm, `${ha1}:${middle}:${ha2}`);
}

function hash(algorithm: DigestAlgorithm, text: string): string {
  return createHash(HASHES[algorithm]).update(text).digest('hex');
}

/** Parameters of a Digest header. Of a name that comes twice nobody knows which one counts; then none does. */
export function digestParameters(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const twice = new Set<string>();
  for (const piece of splitUnquoted(text, ',')) {
    const equals = piece.indexOf('=');
    if (equals < 0) continue;
    const name = piece.slice(0, equals).trim().toLowerCase();
    if (found.has(name)) twice.add(name);
    found.set(name, unquote(piece.slice(equals + 1).trim()));
  }
  for (const name of twice) found.delete(name);
  return found;
}
