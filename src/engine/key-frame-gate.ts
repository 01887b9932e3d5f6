/**
 * Decides when a rendition's encoder is asked for a key frame. Viewers ask as often as they like; the encoder hears
 * of it at most once per interval, and not while a key frame it was asked for is still on its way.
 */
export class KeyFrameGate {
  readonly #intervalMs: number;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #wanted = false;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** A viewer wants a key frame. True when the encoder is to be asked now. */
  request(nowMs: number): boolean {
    this.#wanted = true;
    return this.poll(nowMs);
  }

  /** True when a request that had to wait is due now; call it with every frame. */
  poll(nowMs: number): boolean {
    if (!this.#wanted || nowMs - this.#askedAtMs < this.#intervalMs) return false;
    this.#askedAtMs = nowMs;
    return true;
  }

  /** A key frame came: everybody who waited has it. */
  arrived(): void {
    this.#wanted = false;
  }
}
