/** Waits for a moment of Unix time in microseconds. False when `signal` was aborted first. */
export function sleepUntil(dueUs: number, nowUs: () => number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  const delayMs = (dueUs - nowUs()) / 1000;
  if (delayMs <= 0) return Promise.resolve(true);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const abort = () => {
    clearTimeout(timer);
    resolve(false);
  };
  const wake = () => {
    // Timers count whole milliseconds, and may fire one too early; that would show a time that has not come.
    const leftMs = (dueUs - nowUs()) / 1000;
    if (leftMs > 0) {
      timer = setTimeout(wake, Math.ceil(leftMs));
      return;
    }
    signal.removeEventListener('abort', abort);
    resolve(true);
  };
  let timer = setTimeout(wake, Math.ceil(delayMs));
  signal.addEventListener('abort', abort, { once: true });
  return promise;
}
