import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What a process gets of the processor before it has to stop again: one tick of Linux's account. */
const BUDGET_TICKS = 1;
const STOPS_MS = 92;
const LOOK_MS = 2;

/**
 * Lets a process use the processor for a small part of the time until `signal` is aborted, as on a machine that has too
 * much to do. It gets that part however busy the machine is.
 */
export async function squeeze(pid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const before = ticks(pid);
    process.kill(pid, 'SIGCONT');
    while (!signal.aborted && ticks(pid) < before + BUDGET_TICKS) await delay(LOOK_MS);
    if (signal.aborted) break;
    process.kill(pid, 'SIGSTOP');
    await delay(STOPS_MS);
  }
  process.kill(pid, 'SIGCONT');
}

/** Hundredths of a second of the processor, in all its threads and in the kernel for them. */
function ticks(pid: number): number {
  const times = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(times[11]) + Number(times[12]);
}
