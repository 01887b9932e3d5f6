const MOST_TICK_MS = 5;

/** A clock that stands still while the process does not get to run, so that nothing comes late on a busy machine. */
export class PatientClock {
  #nowUs = 1_700_000_000_000_000;
  #tickedMs = performance.now();
  readonly #timer = setInterval(() => this.#tick(), 2);

  readonly nowUs = () => this.#nowUs;

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#nowUs += Math.round(Math.min(nowMs - this.#tickedMs, MOST_TICK_MS) * 1000);
    this.#tickedMs = nowMs;
  }
}
