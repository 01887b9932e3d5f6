import type { Header, Request, Response } from '../message/index.ts';
import { DIGEST_ALGORITHMS, type DigestAlgorithm, digestHa1, digestParameters, digestResponse } from './digest.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

interface Challenge {
  readonly answerHeader: 'authorization' | 'proxy-authorization';
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly algorithm: DigestAlgorithm;
  /** Does it offer qop=auth; without any quality it is one of RFC 2069. */
  readonly hasQuality: boolean;
}

/** Which header a challenge stands in, and which one answers it (RFC 3261 §22.2, §22.3). */
const HEADERS = { 'www-authenticate': 'authorization', 'proxy-authenticate': 'proxy-authorization' } as const;

/** Answers one server's challenges (RFC 7616 as client), and goes on using its nonce while the server takes it. */
export class DigestClient {
  readonly #login: Login;
  readonly #newClientNonce: () => string;
  #challenge: Challenge | null = null;
  #count = 0;

  constructor(login: Login, newClientNonce: () => string) {
    this.#login = login;
    this.#newClientNonce = newClientNonce;
  }

  /** Takes the challenge of a 401 or 407. False when none of them can be answered. */
  take(response: Response): boolean {
    this.#challenge = strongest(response);
    this.#count = 0;
    return this.#challenge !== null;
  }

  /** The header to send with a request; null before the first challenge. */
  authorization({ method, uri }: Pick<Request, 'method' | 'uri'>): Header | null {
    if (this.#challenge === null) return null;
    const { answerHeader, realm, nonce, opaque, algorithm, hasQuality } = this.#challenge;
    const { user: username, password } = this.#login;
    const count = ++this.#count;
    const countText = count.toString(16).padStart(8, '0');
    const quality = hasQuality ? { count, countText, clientNonce: this.#newClientNonce() } : null;
    const ha1 = digestHa1(algorithm, username, realm, password);
    const response = digestResponse({ username, realm, nonce, uri, algorithm, quality }, method, ha1);
    const parts = [
      `username=${quote(username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri="${uri}"`,
      `response="${response}"`,
      `algorithm=${algorithm}`,
      ...(opaque === null ? [] : [`opaque=${quote(opaque)}`]),
      ...(quality === null ? [] : ['qop=auth', `nc=${countText}`, `cnonce="${quality.clientNonce}"`]),
    ];
    return [answerHeader, `Digest ${parts.join(', ')}`];
  }
}

/** RFC 8760 §2.5 would take the topmost that is supported; servers do not order theirs, so the strongest is taken. */
function strongest({ headers }: Response): Challenge | null {
  const challenges = headers.flatMap(([name, value]) =>
    name === 'www-authenticate' || name === 'proxy-authenticate' ? (readChallenge(HEADERS[name], value) ?? []) : [],
  );
  const rank = ({ algorithm }: Challenge) => DIGEST_ALGORITHMS.indexOf(algorithm);
  return challenges.sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

function readChallenge(answerHeader: Challenge['answerHeader'], value: string): Challenge | null {
  const match = /^digest\s+(.*)$/is.exec(value);
  if (match === null) return null;
  const found = digestParameters(match[1]!);
  const [realm, nonce] = [found.get('realm'), found.get('nonce')];
  const name = (found.get('algorithm') ?? 'MD5').toUpperCase();
  const algorithm = DIGEST_ALGORITHMS.find(each => each === name);
  if (realm === undefined || nonce === undefined || algorithm === undefined) return null;
  const qualities = found
    .get('qop')
    ?.split(',')
    .map(each => each.trim().toLowerCase());
  if (qualities !== undefined && !qualities.includes('auth')) return null;
  const opaque = found.get('opaque') ?? null;
  return { answerHeader, realm, nonce, opaque, algorithm, hasQuality: qualities !== undefined };
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
