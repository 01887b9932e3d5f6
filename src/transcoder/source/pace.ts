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
  // Timers fire on whole milliseconds; late is seen, early would show a time that has not come.
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', abort);
    resolve(true);
  }, Math.ceil(delayMs));
  signal.addEventListener('abort', abort, { once: true });
  return promise;
}
