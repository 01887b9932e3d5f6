import type { Clock } from '../clock.ts';

export interface KeepAliveOptions {
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly ping: () => void;
  /** Nobody is there any more. */
  readonly lost: () => void;
}

/** RFC 5626 §4.4.1 allows up to two minutes, but nobody can call a channel whose connection died unnoticed. */
const INTERVAL_FROM_MS = 24_000;
const INTERVAL_TO_MS = 30_000;
/** RFC 5626 §4.4.1. */
const PONG_TIMEOUT_MS = 10_000;

/**
 * CRLF keep-alive on a connection that we opened (RFC 5626 §3.5.1). Many servers know nothing of it: a pong is missed of
 * those alone that have sent one before.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  #timer: unknown = null;
  #started = false;
  #answers = false;
  #awaited = false;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
  }

  /** The first ping goes out at once, to learn whether pings are answered. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#ping();
  }

  pong(): void {
    this.#answers = true;
    this.#awaited = false;
  }

  stop(): void {
    this.#started = true;
    this.#options.clock.clearTimer(this.#timer);
  }

  #ping(): void {
    const { clock, random, ping } = this.#options;
    this.#awaited = true;
    ping();
    const intervalMs = INTERVAL_FROM_MS + (INTERVAL_TO_MS - INTERVAL_FROM_MS) * random();
    this.#timer = clock.setTimer(PONG_TIMEOUT_MS, () => {
      if (this.#awaited && this.#answers) return this.#options.lost();
      this.#timer = clock.setTimer(intervalMs - PONG_TIMEOUT_MS, () => this.#ping());
    });
  }
}
