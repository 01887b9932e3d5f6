import { createHmac } from 'node:crypto';
import { Authenticator, type Credentials } from '../authentication/index.ts';
import type { Clock } from '../clock.ts';
import { type Request, type Response, type ResponseParts, respond } from '../message/index.ts';
import { serverKey } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** Is everybody let in. */
  readonly guests: boolean;
  /** Who else is; null when there are no accounts. */
  readonly authentication: { readonly realm: string; readonly credentials: Credentials } | null;
  /** Secret of this server: 32 random bytes. */
  readonly key: Buffer;
}

/** Who proved to be somebody: a user of ours, and our domain. */
export interface Subscriber {
  readonly user: string;
  readonly domain: string;
}

/** Requests out of any dialog that cost something, and what a stranger is told where there are no accounts. */
const SPENDING: ReadonlyMap<string, string> = new Map([
  ['INVITE', 'Only subscribers may watch'],
  ['REGISTER', 'Only subscribers may register'],
  ['MESSAGE', 'Only subscribers may write'],
]);

/** Who may ask for what. It is asked before a request has any state of its own, so a refusal leaves none behind. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #authenticator: Authenticator | null;

  constructor(options: AdmissionOptions) {
    const { authentication, key, clock } = options;
    this.#options = options;
    this.#authenticator = authentication === null ? null : new Authenticator({ ...authentication, key, clock });
  }

  /**
   * Whose request this is, null for a guest's or one that anybody may make; or the refusal with which it is answered
   * and forgotten. In a dialog the tags are proof enough: they were told to the caller alone (RFC 3261 §22.1 leaves it
   * to the server).
   */
  admit(request: Request, flow: Flow): Subscriber | null | Response {
    const stranger = SPENDING.get(request.method);
    if (this.#options.guests || stranger === undefined || request.toTag !== null) return null;
    const { authentication } = this.#options;
    if (this.#authenticator === null || authentication === null)
      return this.#refuse(request, 403, { reason: stranger });
    const answer = this.#authenticator.authenticate(request, flow.remoteAddress);
    switch (answer.result) {
      case 'accepted':
        return { user: answer.user, domain: authentication.realm };
      case 'malformed':
        return this.#refuse(request, 400, { reason: answer.reason });
      case 'challenged':
        return this.#refuse(request, 401, { headers: answer.headers });
    }
  }

  /** RFC 3261 §8.2.7: without state, the same request gets the same tag whenever it comes again. */
  #refuse(request: Request, status: number, parts: Pick<ResponseParts, 'reason' | 'headers'>): Response {
    const toTag = createHmac('sha256', this.#options.key).update(serverKey(request)).digest('hex').slice(0, 24);
    return respond(request, status, { toTag, ...parts });
  }
}
