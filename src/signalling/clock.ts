/** Time as the protocol sees it. Handles are whatever the clock makes them. */
export interface Clock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  setTimer(delayMs: number, callback: () => void): unknown;
  clearTimer(handle: unknown): void;
}

/** The real one. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimer: (delayMs, callback) => setTimeout(callback, delayMs).unref(),
  clearTimer: handle => clearTimeout(handle as NodeJS.Timeout),
};
