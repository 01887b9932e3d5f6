import { Dictionary, FormatContext } from 'node-av/lib';
import { fileInput } from './file.ts';
import type { Item } from './item-list.ts';
import { NO_TIME } from './stream-player.ts';

/** Where in a list we are. */
export interface Position {
  readonly index: number;
  /** From the beginning of that item. */
  readonly offsetUs: number;
}

export const BEGINNING: Position = { index: 0, offsetUs: 0 };

/** A caller waits; in this time some hundred files tell how long they are. */
const PATIENCE_MS = 3_000;
const AT_ONCE = 4;

/**
 * What is on at a moment of Unix time, had the list been played again and again since 1970: a channel keeps its time
 * while nobody watches. The beginning when the items do not tell soon enough how long they are.
 */
export async function whatIsOn(items: readonly Item[], unixUs: number): Promise<Position> {
  const startedMs = performance.now();
  const durationsUs: number[] = [];
  for (let first = 0; first < items.length; first += AT_ONCE) {
    if (performance.now() - startedMs > PATIENCE_MS) return BEGINNING;
    durationsUs.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(({ path }) => durationOf(path)))));
  }
  return positionAt(durationsUs, unixUs);
}

/** The same of items whose durations are known; those that last 0 can't be played. */
export function positionAt(durationsUs: readonly number[], unixUs: number): Position {
  const wholeUs = durationsUs.reduce((sum, durationUs) => sum + durationUs, 0);
  let offsetUs = wholeUs > 0 ? unixUs % wholeUs : 0;
  for (const [index, durationUs] of durationsUs.entries()) {
    if (offsetUs < durationUs) return { index, offsetUs };
    offsetUs -= durationUs;
  }
  return BEGINNING;
}

/** 0 when it does not say, or can't be read. */
async function durationOf(path: string): Promise<number> {
  const { url, protocols } = fileInput(`file:${path}`);
  const format = new FormatContext();
  try {
    const options = Dictionary.fromObject({ protocol_whitelist: protocols.join(',') });
    if ((await format.openInput(url, null, options)) < 0) return 0;
    // Of some containers it is seen from their packets alone.
    if (format.duration === NO_TIME) await format.findStreamInfo();
    return format.duration === NO_TIME ? 0 : Math.max(0, Number(format.duration));
  } finally {
    await format.closeInput();
  }
}
