/** Longer than the gap that a forced key frame or a short outage makes, shorter than a viewer's patience. */
const STALL_MS = 4_000;

/** Notices that media has stopped coming in, from the count of octets received. Times are monotonic milliseconds. */
export class StallDetector {
  #octets = -1;
  #grownAtMs: number;

  constructor(nowMs: number) {
    this.#grownAtMs = nowMs;
  }

  /** Takes a reading; says whether the media has stalled. */
  sample(octets: number, nowMs: number): boolean {
    if (octets !== this.#octets) {
      this.#octets = octets;
      this.#grownAtMs = nowMs;
    }
    return nowMs - this.#grownAtMs >= STALL_MS;
  }
}
