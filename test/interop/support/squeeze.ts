import { setTimeout as delay } from 'node:timers/promises';

/** What a process gets of each tenth of a second. */
const RUNS_MS = 8;
const STOPS_MS = 92;

/** Lets a process run for a small part of the time until `signal` is aborted, as on a machine that has too much to do. */
export async function squeeze(pid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    process.kill(pid, 'SIGSTOP');
    await delay(STOPS_MS);
    process.kill(pid, 'SIGCONT');
    await delay(RUNS_MS);
  }
}
