import { DialcastError } from '../errors.ts';
import { type Source, type SourceSink, sleepUntil } from './source/index.ts';
import type { SourceInfo } from './wire.ts';

export interface BroadcastOptions {
  /** A new one for each try: what FFmpeg has open when a source fails is of no more use. */
  readonly createSource: () => Promise<Source>;
  readonly sink: SourceSink;
  readonly nowUs: () => number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Was it open before, in a process that died: then it is tried again at once. */
  readonly wasOpen: boolean;
  /** A source is open, for the first time or again. */
  readonly opened: (info: SourceInfo, live: boolean) => void;
  /** A live source is lost; it is tried again until the signal is aborted. */
  readonly lost: (reason: string) => void;
}

/**
 * From one try to open a live source until the next, doubled with each in vain, up to the last. Whoever was tried for
 * longer than that is tried again at once: what comes in datagrams is lost while nobody listens.
 */
const FIRST_PAUSE_US = 250_000;
const LAST_PAUSE_US = 1_000_000;
/** A source that was there for so long has nothing to do with the failures before. */
const WELL_AFTER_US = 10_000_000;

/**
 * Plays a channel's source. Resolves when a film is over or `signal` is aborted; a live source never is: it is opened
 * again, with growing pauses. Rejects with SOURCE_UNSUPPORTED or SOURCE_OPEN_FAILED when it can't be opened at first.
 */
export async function broadcast(options: BroadcastOptions, signal: AbortSignal): Promise<void> {
  const { createSource, nowUs, random, lost } = options;
  let failures = 0;
  let isFirst = !options.wasOpen;
  while (!signal.aborted) {
    const source = await createSource();
    const startedUs = nowUs();
    let reason = 'the source has ended';
    try {
      options.opened(await source.open(), source.live);
      isFirst = false;
      await source.play(options.sink, signal);
      if (!source.live) return;
    } catch (error) {
      if (isFirst || !(error instanceof DialcastError)) throw error;
      reason = error.detail;
    } finally {
      await source.close();
    }
    if (signal.aborted) return;
    lost(reason);
    if (nowUs() - startedUs > WELL_AFTER_US) failures = 0;
    const pauseUs = Math.min(FIRST_PAUSE_US * 2 ** failures++, LAST_PAUSE_US);
    await sleepUntil(startedUs + pauseUs * (0.5 + 0.5 * random()), nowUs, signal);
  }
}
