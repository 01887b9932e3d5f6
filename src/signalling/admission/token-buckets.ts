import { Recent } from './recent.ts';

export interface TokenBucketLimits {
  readonly ratePerSecond: number;
  /** So many at once, after a time of quiet. */
  readonly burst: number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** How often each source may ask: every request takes a token, and tokens come back at a steady rate. */
export class TokenBuckets {
  readonly #limits: TokenBucketLimits;
  readonly #buckets: Recent<Bucket>;

  /** Keeps so many sources in mind; one that was forgotten has a full bucket again. */
  constructor(limits: TokenBucketLimits, mostSources: number) {
    this.#limits = limits;
    this.#buckets = new Recent(mostSources);
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token; false when there is none. */
  take(source: string, nowMs: number): boolean {
    const { ratePerSecond, burst } = this.#limits;
    const { tokens, atMs } = this.#buckets.get(source) ?? { tokens: burst, atMs: nowMs };
    const filled = Math.min(burst, tokens + ((nowMs - atMs) / 1000) * ratePerSecond);
    const taken = filled >= 1;
    this.#buckets.touch(source, { tokens: taken ? filled - 1 : filled, atMs: nowMs });
    return taken;
  }
}
