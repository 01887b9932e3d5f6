import type { Clock } from '../clock.ts';
import { type Header, parseParameters, type Request, type Response, splitUnquoted } from '../message/index.ts';

export interface SessionTimerLimits {
  /** The longest interval that is agreed to, and the one that we ask for. */
  readonly intervalSeconds: number;
  /** The shortest that is agreed to. */
  readonly minimumSeconds: number;
}

/**
 * RFC 4028 §4 recommends 1800 s and allows no less than 90. Who vanishes is watched for one interval at most, on a
 * bill that somebody pays: hence a third of that.
 */
export const SESSION_TIMER: SessionTimerLimits = { intervalSeconds: 600, minimumSeconds: 90 };

/** What both sides hold to (RFC 4028 §9). */
export interface SessionTerms {
  readonly intervalSeconds: number;
  /** Who shows now and again that the session is still there. */
  readonly refresher: 'us' | 'peer';
  readonly peerSupports: boolean;
}

/** A clock's timer takes no more than 2^31 ms; nobody watches for three weeks. */
const MOST_SECONDS = 2_000_000;

/** §10: whoever waits for the refresh ends the session this long before it expires, or a third of the interval. */
const EXPIRY_MARGIN_SECONDS = 32;

/** Does the message say that its sender knows session timers. */
export function supportsTimer(message: Request | Response): boolean {
  return ['supported', 'require'].some(name => message.list(name).some(tag => tag.toLowerCase() === 'timer'));
}

/** §9: a shorter interval than ours is refused, but only to somebody who can ask again with a longer one. */
export function isTooBrief(request: Request, { minimumSeconds }: SessionTimerLimits): boolean {
  const wanted = readSessionExpires(request);
  return wanted !== null && wanted.seconds < minimumSeconds && supportsTimer(request);
}

/** What a session refresh request of the peer leads to (§9, table 2). */
export function agree(request: Request, limits: SessionTimerLimits, before: SessionTerms | null): SessionTerms {
  const wanted = readSessionExpires(request);
  const peerSupports = supportsTimer(request);
  const least = Math.max(limits.minimumSeconds, minimumOf(request) ?? 0);
  const roles: Readonly<Record<string, SessionTerms['refresher']>> = { uac: 'peer', uas: 'us' };
  return {
    // It may be lowered, but not below what the others on the way can bear.
    intervalSeconds: Math.max(Math.min(wanted?.seconds ?? limits.intervalSeconds, limits.intervalSeconds), least),
    refresher: peerSupports ? (roles[wanted?.refresher ?? ''] ?? before?.refresher ?? 'us') : 'us',
    peerSupports,
  };
}

/** What the peer's 2xx to our refresh leads to. Who does not know timers says nothing of them, and we go on asking. */
export function agreedBy(response: Response, limits: SessionTimerLimits, before: SessionTerms): SessionTerms {
  const told = readSessionExpires(response);
  if (told === null) return { ...before, refresher: 'us', peerSupports: false };
  return {
    intervalSeconds: Math.max(told.seconds, limits.minimumSeconds),
    // In this transaction the peer was the UAS.
    refresher: told.refresher === 'uas' ? 'peer' : 'us',
    peerSupports: true,
  };
}

/** Headers of our 2xx. §9: timer is required of nobody who does not know it. */
export function timerHeaders({ intervalSeconds, refresher, peerSupports }: SessionTerms): Header[] {
  const expires: Header = ['session-expires', `${intervalSeconds};refresher=${refresher === 'us' ? 'uas' : 'uac'}`];
  return peerSupports ? [expires, ['require', 'timer']] : [expires];
}

/** Headers of an INVITE or UPDATE of ours, in which we are the UAC (§7.1); `leastSeconds` is what a 422 told. */
export function proposedTimer(intervalSeconds: number, leastSeconds: number | null): Header[] {
  const seconds = Math.max(intervalSeconds, leastSeconds ?? 0);
  const headers: Header[] = [['session-expires', `${seconds};refresher=uac`]];
  if (leastSeconds !== null) headers.push(['min-se', String(leastSeconds)]);
  return headers;
}

/** Min-SE in seconds; null when there is none that can be read. */
export function minimumOf(message: Request | Response): number | null {
  return deltaSeconds(splitUnquoted(message.get('min-se') ?? '', ';')[0]!);
}

/** The two moments of an interval: when a refresh of ours is due, and when waiting has been long enough. */
export class SessionTimer {
  readonly #clock: Clock;
  readonly #due: () => void;
  readonly #expired: () => void;
  #refreshing: unknown = null;
  #expiring: unknown = null;

  constructor(clock: Clock, due: () => void, expired: () => void) {
    this.#clock = clock;
    this.#due = due;
    this.#expired = expired;
  }

  start({ intervalSeconds, refresher, peerSupports }: SessionTerms): void {
    this.stop();
    // §7.2: at half of the interval, so that there is time for more than one try.
    if (refresher === 'us') this.postpone(intervalSeconds * 500);
    // Who does not know timers will not end the session either: only its silence, when asked, says that it is gone.
    if (!peerSupports) return;
    const seconds = intervalSeconds - Math.min(EXPIRY_MARGIN_SECONDS, intervalSeconds / 3);
    this.#expiring = this.#clock.setTimer(seconds * 1000, this.#expired);
  }

  /** The refresh is due after this time and not before. */
  postpone(delayMs: number): void {
    this.#clock.clearTimer(this.#refreshing);
    this.#refreshing = this.#clock.setTimer(delayMs, this.#due);
  }

  stop(): void {
    this.#clock.clearTimer(this.#refreshing);
    this.#clock.clearTimer(this.#expiring);
  }
}

/** §4; what is malformed is as good as absent. */
function readSessionExpires(message: Request | Response): { seconds: number; refresher: string | null } | null {
  const [first, ...rest] = splitUnquoted(message.get('session-expires') ?? '', ';');
  const seconds = deltaSeconds(first!);
  if (seconds === null) return null;
  const refresher = parseParameters(rest.join(';')).get('refresher')?.toLowerCase() ?? null;
  return { seconds, refresher };
}

function deltaSeconds(text: string): number | null {
  return /^\d+$/.test(text) ? Math.min(Number(text), MOST_SECONDS) : null;
}
