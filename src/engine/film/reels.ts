import type { Feed } from '../feed.ts';
import type { EngineEvent, ReelMove, ReelState } from '../protocol.ts';
import { Reel } from './reel.ts';
import { type ReadSegment, SegmentShelf } from './segment-shelf.ts';

export interface ReelsOptions {
  readonly read: ReadSegment;
  readonly onEvent: (event: EngineEvent) => void;
  /** Unix time in microseconds, never going back. */
  readonly nowUs: () => number;
  /** Calls back again and again; returns how to stop that. */
  readonly every: (intervalMs: number, callback: () => void) => () => void;
}

/** A frame goes out at most so long after it is due: less than the network's jitter. */
const TICK_MS = 5;

/** Every viewer of a film, on one clock that runs while there is one. */
export class Reels {
  readonly #options: ReelsOptions;
  readonly #shelf: SegmentShelf;
  readonly #reels = new Map<string, { readonly reel: Reel; feeds: number }>();
  #stop: (() => void) | null = null;

  constructor(options: ReelsOptions) {
    this.#options = options;
    this.#shelf = new SegmentShelf(options.read);
  }

  get size(): number {
    return this.#reels.size;
  }

  /** The feed gets the film as this reel plays it, which stands at the film's start when it is new. */
  open(feed: Feed, { reel: id, folder }: { readonly reel: string; readonly folder: string }): void {
    const entry = this.#reels.get(id) ?? { reel: this.#make(id), feeds: 0 };
    this.#reels.set(id, entry);
    entry.feeds++;
    entry.reel.add(feed, folder, this.#options.nowUs());
    this.#stop ??= this.#options.every(TICK_MS, () => this.#tick());
  }

  /** With its last feed the reel is gone. */
  close(feed: Feed, { reel: id }: { readonly reel: string }): void {
    const entry = this.#reels.get(id);
    if (entry === undefined) return;
    entry.reel.remove(feed);
    if (--entry.feeds > 0) return;
    entry.reel.close();
    this.#reels.delete(id);
    if (this.#reels.size > 0) return;
    this.#stop?.();
    this.#stop = null;
  }

  move({ reel: id, positionUs, paused }: ReelMove): ReelState | null {
    const reel = this.#reels.get(id)?.reel;
    if (reel === undefined) return null;
    const nowUs = this.#options.nowUs();
    if (paused !== undefined) reel.pause(paused);
    if (positionUs !== undefined) reel.seek(positionUs, nowUs);
    return reel.tick(nowUs);
  }

  #make(id: string): Reel {
    const { onEvent } = this.#options;
    return new Reel({
      shelf: this.#shelf,
      moved: state => onEvent({ type: 'reelMoved', reel: id, state }),
      ended: () => onEvent({ type: 'reelEnded', reel: id, fault: null }),
      failed: fault => onEvent({ type: 'reelEnded', reel: id, fault }),
    });
  }

  #tick(): void {
    const nowUs = this.#options.nowUs();
    for (const { reel } of this.#reels.values()) reel.tick(nowUs);
  }
}
