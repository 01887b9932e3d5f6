/** How long a call has been shown the slate. */
export class SlateTime {
  #totalMs = 0;
  #sinceMs: number | null = null;

  /** The slate is shown from now on, or no longer. */
  change(isShown: boolean, nowMs: number): void {
    this.#totalMs = this.totalMs(nowMs);
    this.#sinceMs = isShown ? nowMs : null;
  }

  totalMs(nowMs: number): number {
    // A clock that was set back takes nothing away.
    return this.#totalMs + (this.#sinceMs === null ? 0 : Math.max(0, nowMs - this.#sinceMs));
  }
}
