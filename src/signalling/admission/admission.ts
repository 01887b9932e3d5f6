import { createHmac } from 'node:crypto';
import type { Logger } from '../../observe/index.ts';
import { Authenticator, type AuthenticatorOptions } from '../authentication/index.ts';
import type { Clock } from '../clock.ts';
import { type Request, type Response, type ResponseParts, respond } from '../message/index.ts';
import { serverKey } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import { GUARD_LIMITS, Guard, type GuardLimits } from './guard.ts';
import { sourceOf } from './source.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Is everybody let in. */
  readonly guests: boolean;
  /** Who else is; null when there are no accounts. */
  readonly authentication: Pick<AuthenticatorOptions, 'realm' | 'credentials' | 'algorithms'> | null;
  /** Secret of this server: 32 random bytes. */
  readonly key: Buffer;
  /** Is this the address of a proxy of ours; none is by default. */
  readonly isTrusted?: ((address: string) => boolean) | undefined;
  /** {@link GUARD_LIMITS} by default. */
  readonly limits?: Partial<GuardLimits> | undefined;
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
  ['SUBSCRIBE', 'Only subscribers may watch'],
]);

const RETRY_AFTER_SECONDS = '10';

/** Who may ask for what. It is asked before a request has any state of its own, so a refusal leaves none behind. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #authenticator: Authenticator | null;
  readonly #guard: Guard;

  constructor(options: AdmissionOptions) {
    const { authentication, key, clock, log, limits, isTrusted } = options;
    this.#options = options;
    this.#guard = new Guard({ clock, log, isTrusted, limits: { ...GUARD_LIMITS, ...limits } });
    this.#authenticator = authentication === null ? null : new Authenticator({ ...authentication, key, clock });
  }

  /** What the guard has seen since the start. */
  get counts(): Guard['counts'] {
    return this.#guard.counts;
  }

  /** Shall bytes be answered that are no message? */
  answersNoise(flow: Flow): boolean {
    return this.#guard.hear(flow, false) === 'serve';
  }

  /**
   * Whose request this is, null for a guest's or one that anybody may make; or the refusal with which it is answered
   * and forgotten, if it is answered at all. An `expected` request is in a dialog of ours, or a CANCEL of what is there:
   * its tags are proof enough, since they were told to the caller alone (RFC 3261 §22.1 leaves it to the server).
   */
  admit(request: Request, flow: Flow, expected: boolean): Subscriber | null | Response | 'silence' {
    const hearing = this.#guard.hear(flow, expected);
    if (hearing === 'silence') return hearing;
    if (hearing === 'busy') return this.#refuse(request, 503, { headers: [['retry-after', RETRY_AFTER_SECONDS]] });
    const stranger = SPENDING.get(request.method);
    if (expected || this.#options.guests || stranger === undefined || request.toTag !== null) return null;
    const { authentication } = this.#options;
    if (this.#authenticator === null || authentication === null)
      return this.#refuse(request, 403, { reason: stranger });
    const answer = this.#authenticator.authenticate(request, sourceOf(flow.remoteAddress));
    switch (answer.result) {
      case 'accepted':
        return { user: answer.user, domain: authentication.realm };
      case 'malformed':
        return this.#refuse(request, 400, { reason: answer.reason });
      case 'challenged':
        if (answer.failed) this.#guard.failed(flow);
        return this.#refuse(request, 401, { headers: answer.headers });
    }
  }

  /** An ACK to our refusal of an INVITE. */
  acknowledged(invite: Request, refusal: Response, ack: Request, flow: Flow): void {
    this.#guard.acknowledged(invite, refusal, ack, flow);
  }

  /** RFC 3261 §8.2.7: without state, the same request gets the same tag whenever it comes again. */
  #refuse(request: Request, status: number, parts: Pick<ResponseParts, 'reason' | 'headers'>): Response {
    const toTag = createHmac('sha256', this.#options.key).update(serverKey(request)).digest('hex').slice(0, 24);
    return respond(request, status, { toTag, ...parts });
  }
}
