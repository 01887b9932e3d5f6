import { timingSafeEqual } from 'node:crypto';
import { type Header, parseUri, type Request } from '../message/index.ts';
import {
  DIGEST_ALGORITHMS,
  type DigestAlgorithm,
  type DigestAnswer,
  digestHa1,
  digestRealm,
  digestResponse,
  parseDigestAnswer,
} from './digest.ts';
import { type NonceOptions, Nonces } from './nonce.ts';

/** Who has an account. */
export interface Credentials {
  /**
   * The hexadecimal H(user:realm:password) of RFC 7616 §3.4.2; null when there is no such user, or none for this
   * algorithm. It answers at once: a lookup that could wait would need the request kept until then, which is just what
   * nobody who has not proved anything may cause.
   */
  ha1(user: string, realm: string, algorithm: DigestAlgorithm): string | null;
}

export interface AuthenticatorOptions extends NonceOptions {
  readonly credentials: Credentials;
  /**
   * What is offered, best first; SHA-256 and MD5 by default. MD5 comes last, since JsSIP looks at the last challenge
   * alone and knows MD5 alone. Phones that give up at an algorithm that they do not know (baresip 1, SIPp 3.6) must be
   * offered MD5 alone.
   */
  readonly algorithms?: readonly DigestAlgorithm[];
}

export type Authentication =
  | { readonly result: 'accepted'; readonly user: string }
  /** To be answered 401 with these headers; `failed` when a password was tried and is wrong. */
  | { readonly result: 'challenged'; readonly failed: boolean; readonly headers: readonly Header[] }
  /** To be answered 400 (RFC 7616 §3.4.6). */
  | { readonly result: 'malformed'; readonly reason: string };

/** An answer of RFC 2069 has no count and takes its whole nonce: no count of RFC 7616 is higher. */
const LAST_COUNT = 2 ** 32;

/** Digest access authentication as user agent server (RFC 3261 §22.2, RFC 8760). */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #nonces: Nonces;
  /** What an unknown user's answer is compared with. */
  readonly #decoys: Readonly<Record<DigestAlgorithm, string>>;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#algorithms = options.algorithms ?? DIGEST_ALGORITHMS;
    this.#nonces = new Nonces(options);
    const decoy = (algorithm: DigestAlgorithm) => digestHa1(algorithm, '', '', options.key.toString('hex'));
    this.#decoys = { 'SHA-256': decoy('SHA-256'), MD5: decoy('MD5') };
  }

  /** Who sent the request? `source` is the address that it came from. */
  authenticate(request: Request, source: string): Authentication {
    const { realm } = this.#options;
    // RFC 3261 §22.3: a request may have credentials for several realms, each in a header of its own.
    const offered = request.headers.find(([name, value]) => name === 'authorization' && digestRealm(value) === realm);
    if (offered === undefined) return this.#challenge(source, { stale: false, failed: false });
    const answer = parseDigestAnswer(offered[1]);
    if (answer === null || !this.#algorithms.includes(answer.algorithm)) {
      return { result: 'malformed', reason: 'Bad Authorization' };
    }
    if (!isSameUri(answer.uri, request.uri)) return { result: 'malformed', reason: 'Authorization has another URI' };
    const count = answer.quality?.count ?? LAST_COUNT;
    // The nonce is judged before the password is looked at, or a replay would tell whether it had been right.
    if (!this.#nonces.isFresh(answer.nonce, source, count))
      return this.#challenge(source, { stale: true, failed: false });
    if (!this.#isRight(answer, request.method)) return this.#challenge(source, { stale: false, failed: true });
    this.#nonces.use(answer.nonce, source, count);
    return { result: 'accepted', user: answer.username };
  }

  /** The same work for a user who is unknown as for a wrong password: neither answer nor time tells who has an account. */
  #isRight(answer: DigestAnswer, method: string): boolean {
    const { algorithm, username, realm } = answer;
    const ha1 = this.#options.credentials.ha1(username, realm, algorithm);
    const expected = Buffer.from(digestResponse(answer, method, ha1 ?? this.#decoys[algorithm]));
    const given = Buffer.from(answer.response);
    return given.length === expected.length && timingSafeEqual(given, expected) && ha1 !== null;
  }

  /** RFC 8760 §2.4: a challenge for each algorithm, the one that we like best on top. */
  #challenge(source: string, { stale, failed }: { stale: boolean; failed: boolean }): Authentication {
    const { realm } = this.#options;
    const nonce = this.#nonces.issue(source);
    const headers = this.#algorithms.map((algorithm): Header => {
      const value = `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"`;
      return ['www-authenticate', stale ? `${value}, stale=true` : value];
    });
    return { result: 'challenged', failed, headers };
  }
}

/** RFC 7616 §3.4.6: both name the same thing. A proxy on the way to us may have put our address for our domain. */
function isSameUri(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [parseUri(one), parseUri(other)];
  return a !== null && b !== null && a.user === b.user;
}
