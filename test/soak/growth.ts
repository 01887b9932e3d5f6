import { counts, mib, type SoakResult } from './soak.ts';

/** V8 fills and empties its heap in steps, and malloc keeps what was freed; what leaks for each call is soon more. */
const HEAP_SLACK_BYTES = 2 * 2 ** 20;
const RESIDENT_SLACK_BYTES = 32 * 2 ** 20;

/** What has grown, in words; nothing when all is as before. */
export function growth({ before, after }: Pick<SoakResult, 'before' | 'after'>): string[] {
  const faults: string[] = [];
  if (counts(after).join() !== counts(before).join()) {
    faults.push(`what is counted: ${counts(before).join(', ')} before; ${counts(after).join(', ')} after`);
  }
  for (const [what, from, to, slack] of [
    ['the heap', before.heapBytes, after.heapBytes, HEAP_SLACK_BYTES],
    ['the memory of the server', before.residentBytes, after.residentBytes, RESIDENT_SLACK_BYTES],
    ['the memory of a transcoder', before.steady.residentBytes, after.steady.residentBytes, RESIDENT_SLACK_BYTES],
  ] as const) {
    if (to > from + slack) faults.push(`${what}: ${mib(from)} MiB before; ${mib(to)} MiB after`);
  }
  return faults;
}
