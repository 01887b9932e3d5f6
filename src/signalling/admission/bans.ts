import { createHash } from 'node:crypto';
import { Recent } from './recent.ts';

export interface BanLimits {
  /** So many different strikes within the window are a ban. */
  readonly strikes: number;
  readonly windowMs: number;
  /** The first ban; each further one is twice as long. */
  readonly firstMs: number;
  readonly longestMs: number;
}

interface Offender {
  /** Hashes, since what they stand for is as long as its sender likes. */
  readonly strikes: Set<string>;
  readonly sinceMs: number;
  readonly bans: number;
  readonly untilMs: number;
}

/** Sources that are not listened to for a while. */
export class Bans {
  readonly #limits: BanLimits;
  readonly #offenders: Recent<Offender>;

  /** Keeps so many sources in mind. */
  constructor(limits: BanLimits, mostSources: number) {
    this.#limits = limits;
    this.#offenders = new Recent(mostSources);
  }

  get size(): number {
    return this.#offenders.size;
  }

  isBanned(source: string, nowMs: number): boolean {
    return nowMs < (this.#offenders.get(source)?.untilMs ?? Number.NEGATIVE_INFINITY);
  }

  /**
   * Takes note of what a source did; the same thing counts once in a window. Gives the length of the ban in
   * milliseconds when this is one strike too many, else null.
   */
  strike(source: string, what: string, nowMs: number): number | null {
    const { strikes: most, windowMs, firstMs, longestMs } = this.#limits;
    const before = this.#offenders.get(source);
    // Whoever behaved for as long as the longest ban starts anew.
    const bans = before === undefined || nowMs - before.untilMs >= longestMs ? 0 : before.bans;
    const untilMs = before?.untilMs ?? Number.NEGATIVE_INFINITY;
    const isRecent = before !== undefined && nowMs - before.sinceMs < windowMs;
    const { strikes, sinceMs } = isRecent ? before : { strikes: new Set<string>(), sinceMs: nowMs };
    strikes.add(createHash('sha256').update(what).digest('base64').slice(0, 12));
    if (strikes.size < most) {
      this.#offenders.touch(source, { strikes, sinceMs, bans, untilMs });
      return null;
    }
    const lengthMs = Math.min(firstMs * 2 ** bans, longestMs);
    this.#offenders.touch(source, { strikes: new Set(), sinceMs: nowMs, bans: bans + 1, untilMs: nowMs + lengthMs });
    return lengthMs;
  }
}
