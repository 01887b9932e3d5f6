import type { Logger } from '../../observe/index.ts';
import type { Clock } from '../clock.ts';
import type { Request, Response } from '../message/index.ts';
import { parseUri } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';
import { type BanLimits, Bans } from './bans.ts';
import { isLoopback, sourceOf } from './source.ts';
import { type TokenBucketLimits, TokenBuckets } from './token-buckets.ts';

export interface GuardLimits {
  /** For each source and transport, and once more for what is sent in its calls. */
  readonly requests: TokenBucketLimits;
  readonly bans: BanLimits;
  /** So many sources are kept in mind, those that were heard of last. */
  readonly sources: number;
}

/**
 * One source may be a whole town behind its provider's NAT: ten thousand phones there that register every ten minutes
 * are 35 requests a second with their challenges, and after an outage come all at once. The longest ban is short for
 * the same reason: one phone with an old password must not keep its neighbours out for long, and a hundred guesses an
 * hour find no password.
 */
export const GUARD_LIMITS: GuardLimits = {
  requests: { ratePerSecond: 200, burst: 1_000 },
  bans: { strikes: 20, windowMs: 300_000, firstMs: 30_000, longestMs: 600_000 },
  sources: 20_000,
};

/** `busy`: to be told to come back. `silence`: not worth a word. */
export type Hearing = 'serve' | 'busy' | 'silence';

export interface GuardOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: GuardLimits;
  /** Is this the address of a proxy of ours; none is by default. */
  readonly isTrusted?: ((address: string) => boolean) | undefined;
}

/** Tells who asks too often or tries doors. */
export class Guard {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #isTrusted: (address: string) => boolean;
  readonly #buckets: TokenBuckets;
  readonly #bans: Bans;
  #failures = 0;
  readonly #counts = { overRate: 0, banned: 0, bans: 0 };

  constructor({ clock, log, limits, isTrusted = () => false }: GuardOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#isTrusted = isTrusted;
    this.#buckets = new TokenBuckets(limits.requests, limits.sources);
    this.#bans = new Bans(limits.bans, limits.sources);
  }

  /** Since the start: requests of sources that asked too often, requests of banned sources, and bans. */
  get counts(): Readonly<Record<'overRate' | 'banned' | 'bans', number>> {
    return this.#counts;
  }

  /** Shall a request be looked at? `expected` when it belongs to a call of ours, whose tags it knows. */
  hear(flow: Flow, expected: boolean): Hearing {
    const { remoteAddress, reliable } = flow;
    if (this.#isExempt(remoteAddress)) return 'serve';
    const source = sourceOf(remoteAddress);
    const nowMs = this.#clock.nowMs();
    // Whatever else a source did, its running calls can be ended.
    if (!expected && this.#bans.isBanned(source, nowMs)) {
      this.#counts.banned++;
      return 'silence';
    }
    // Anybody can write another's address on a datagram: that must not cost the other one's connections and calls
    // their tokens.
    const kind = expected ? 'call' : reliable ? 'connection' : 'datagram';
    if (this.#buckets.take(`${kind} ${source}`, nowMs)) return 'serve';
    this.#counts.overRate++;
    // A datagram that is not answered comes again, later each time (RFC 3261 §17.1.1.2); on a connection nothing does.
    return reliable ? 'busy' : 'silence';
  }

  /** A wrong password, proved to come from there by a nonce that was sent there alone. */
  failed(flow: Flow): void {
    this.#strike(flow, `password ${++this.#failures}`);
  }

  /**
   * The ACK to our refusal of an INVITE. Whoever calls many that are not there is looking for one who is. It counts
   * only now: the ACK has the tag of our answer, so it comes from where the answer went. If the INVITE alone counted,
   * anybody could have anybody banned, with a few datagrams in his name.
   */
  acknowledged(invite: Request, refusal: Response, ack: Request, flow: Flow): void {
    if (refusal.status !== 404 || ack.toTag !== refusal.toTag) return;
    this.#strike(flow, `target ${parseUri(invite.uri)?.user}`);
  }

  /** A proxy of ours speaks for everybody behind it. What comes from this very machine is one, or a load test. */
  #isExempt(remoteAddress: string): boolean {
    return isLoopback(remoteAddress) || this.#isTrusted(remoteAddress);
  }

  #strike({ remoteAddress }: Flow, what: string): void {
    if (this.#isExempt(remoteAddress)) return;
    const source = sourceOf(remoteAddress);
    const lengthMs = this.#bans.strike(source, what, this.#clock.nowMs());
    if (lengthMs === null) return;
    this.#counts.bans++;
    this.#log.warn({ source, seconds: lengthMs / 1000 }, 'a source is banned');
  }
}
