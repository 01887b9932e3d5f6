/** What is on a channel from one moment to another. Times are Unix time in milliseconds; the end does not belong to it. */
export interface Programme {
  readonly startMs: number;
  readonly stopMs: number;
  readonly title: string;
  readonly subtitle: string | null;
  readonly description: string | null;
  readonly category: string | null;
}

/** Each channel's programmes by its id in XMLTV. */
export type Schedule = ReadonlyMap<string, readonly Programme[]>;

/** A programme as it was announced; its end may be left open. */
export interface AnnouncedProgramme extends Omit<Programme, 'stopMs'> {
  readonly stopMs: number | null;
}

/** How long something lasts that nothing follows and whose end nobody said. */
const USUAL_MS = 3_600_000;

/** One channel's programmes in the order of time, none in another: where two overlap the earlier one ends. */
export function inOrder(announced: readonly AnnouncedProgramme[]): Programme[] {
  const sorted = announced.toSorted((a, b) => a.startMs - b.startMs);
  return sorted.flatMap((programme, index) => {
    const { startMs } = programme;
    const nextMs = sorted[index + 1]?.startMs ?? Number.POSITIVE_INFINITY;
    const usualMs = nextMs === Number.POSITIVE_INFINITY ? startMs + USUAL_MS : nextMs;
    const stopMs = Math.min(programme.stopMs ?? usualMs, nextMs);
    return stopMs > startMs ? [{ ...programme, stopMs }] : [];
  });
}

/** What is on at this moment and what is next. */
export function nowAndNext(
  programmes: readonly Programme[],
  nowMs: number,
): { readonly now: Programme | null; readonly next: Programme | null } {
  const upcoming = firstEndingAfter(programmes, nowMs);
  const first = programmes[upcoming] ?? null;
  if (first === null || first.startMs > nowMs) return { now: null, next: first };
  return { now: first, next: programmes[upcoming + 1] ?? null };
}

/** What is on between two moments, also if it began before or ends after. */
export function between(programmes: readonly Programme[], fromMs: number, toMs: number): readonly Programme[] {
  const first = firstEndingAfter(programmes, fromMs);
  const after = firstWhere(programmes, ({ startMs }) => startMs >= toMs);
  return programmes.slice(first, after);
}

function firstEndingAfter(programmes: readonly Programme[], atMs: number): number {
  return firstWhere(programmes, ({ stopMs }) => stopMs > atMs);
}

/** Binary search: the first place from which on `is` holds. */
function firstWhere(programmes: readonly Programme[], is: (programme: Programme) => boolean): number {
  let [low, high] = [0, programmes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (is(programmes[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
