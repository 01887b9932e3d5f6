import type { Clock } from '../clock.ts';
import type { Header, Request, Response } from '../message/index.ts';
import {
  agree,
  agreedBy,
  minimumOf,
  proposedTimer,
  type SessionTerms,
  SessionTimer,
  type SessionTimerLimits,
  timerHeaders,
} from './session-timer.ts';

export interface SessionRefreshOptions {
  readonly clock: Clock;
  readonly limits: SessionTimerLimits;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Is the Call-ID ours: did we call. */
  readonly ownsCallId: boolean;
  /** Is the peer watched even when it does not know session timers. */
  readonly always: boolean;
  /** Sends a refresh; null is told when nobody answers. */
  readonly send: (method: 'UPDATE' | 'INVITE', headers: readonly Header[], answered: Answered) => void;
  /** Can nothing be asked now: another exchange is under way, or a browser has no connection. */
  readonly isBusy: () => boolean;
  /** Nobody is there any more. */
  readonly gone: (reason: string) => void;
}

type Answered = (response: Response | null) => void;

/** What an answer to a refresh says of the session (RFC 4028 §7.4, §10). */
type Verdict = 'refreshed' | 'gone' | 'too brief' | 'glare' | 'unknown method' | 'refused';

const VERDICTS: ReadonlyMap<number, Verdict> = new Map([
  [405, 'unknown method'],
  [408, 'gone'],
  [422, 'too brief'],
  [481, 'gone'],
  [491, 'glare'],
  [501, 'unknown method'],
]);

const BUSY_MS = 1_000;
/** After a refusal for another reason. */
const RETRY_MS = 10_000;
/** RFC 3261 §14.1: who did not make the Call-ID waits up to this long, so that the other's comes after it. */
const GLARE_MS = 2_000;
/** Who made it waits from this long up to twice the other's longest. */
const OWN_GLARE_MS = 2_100;

/** Keeps to the terms of a session's timer, from our side and from the peer's (RFC 4028). */
export class SessionRefresh {
  readonly #options: SessionRefreshOptions;
  readonly #timer: SessionTimer;
  #terms: SessionTerms | null = null;
  /** Min-SE of a 422 (§7.3): what we ask for from then on. */
  #leastSeconds: number | null = null;
  #method: 'UPDATE' | 'INVITE' = 'INVITE';
  #asking: 'UPDATE' | 'INVITE' | null = null;
  #over = false;

  constructor(options: SessionRefreshOptions) {
    this.#options = options;
    this.#timer = new SessionTimer(
      options.clock,
      () => this.#refresh(),
      () => this.#gone('the session was not refreshed'),
    );
  }

  /** Is an INVITE of ours, with its offer, under way. */
  get inviting(): boolean {
    return this.#asking === 'INVITE';
  }

  /** RFC 3311 §5.1: UPDATE is for those who list it; the others get a re-INVITE. */
  hear(message: Request | Response): void {
    const allowed = message.list('allow');
    if (allowed.length > 0) this.#method = allowed.includes('UPDATE') ? 'UPDATE' : 'INVITE';
  }

  /** Headers of our 2xx to the peer's INVITE or UPDATE, with which the interval begins anew. */
  accept(request: Request): Header[] {
    const { limits, always } = this.#options;
    const terms = agree(request, limits, this.#terms);
    if (!terms.peerSupports && !always) return [];
    this.#start(terms);
    return timerHeaders(terms);
  }

  /** Begins with the 2xx to our INVITE. */
  begin(response: Response): void {
    const { limits, always } = this.#options;
    this.hear(response);
    const terms = agreedBy(response, limits, {
      intervalSeconds: limits.intervalSeconds,
      refresher: 'us',
      peerSupports: false,
    });
    if (terms.peerSupports || always) this.#start(terms);
  }

  stop(): void {
    this.#over = true;
    this.#timer.stop();
  }

  #start(terms: SessionTerms): void {
    this.#terms = terms;
    this.#timer.start(terms);
  }

  #refresh(): void {
    const { send, isBusy } = this.#options;
    if (this.#asking !== null || isBusy()) return this.#timer.postpone(BUSY_MS);
    const method = this.#method;
    const headers: Header[] = [
      ['supported', 'timer'],
      ...proposedTimer(this.#terms!.intervalSeconds, this.#leastSeconds),
    ];
    this.#asking = method;
    send(method, headers, response => {
      this.#asking = null;
      if (!this.#over) this.#answered(method, response);
    });
  }

  #answered(method: 'UPDATE' | 'INVITE', response: Response | null): void {
    const terms = this.#terms!;
    switch (verdictOf(response)) {
      case 'refreshed':
        this.hear(response!);
        return this.#start(agreedBy(response!, this.#options.limits, terms));
      case 'gone':
        return this.#gone('the caller no longer answers');
      case 'too brief': {
        const least = minimumOf(response!) ?? 0;
        if (least <= Math.max(terms.intervalSeconds, this.#leastSeconds ?? 0)) return this.#refused(terms);
        this.#leastSeconds = least;
        return this.#refresh();
      }
      case 'glare':
        return this.#timer.postpone(this.#glarePauseMs);
      case 'unknown method':
        if (method === 'INVITE') return this.#refused(terms);
        this.#method = 'INVITE';
        return this.#refresh();
      case 'refused':
        return this.#refused(terms);
    }
  }

  get #glarePauseMs(): number {
    const { random, ownsCallId } = this.#options;
    return ownsCallId ? OWN_GLARE_MS + random() * (2 * GLARE_MS - OWN_GLARE_MS) : random() * GLARE_MS;
  }

  /** Whoever refuses is there. Who knows timers must agree before the session expires; with others we ask as before. */
  #refused(terms: SessionTerms): void {
    if (terms.peerSupports) this.#timer.postpone(RETRY_MS);
    else this.#start(terms);
  }

  #gone(reason: string): void {
    this.stop();
    this.#options.gone(reason);
  }
}

function verdictOf(response: Response | null): Verdict {
  if (response === null) return 'gone';
  return response.status < 300 ? 'refreshed' : (VERDICTS.get(response.status) ?? 'refused');
}
