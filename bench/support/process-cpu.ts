import { readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second. */
const MS_PER_TICK = 10;

/** What a process has used of the processor, in all its threads and in the kernel for them. */
export function processCpuMs(pid: number): number {
  const times = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(times[11]) + Number(times[12])) * MS_PER_TICK;
}
