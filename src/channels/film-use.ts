import type { ChannelConfig } from '../config/index.ts';
import type { RenditionSpec, SourceInfo } from '../transcoder/index.ts';

/** What a film's viewers do to the world. */
export interface FilmPorts {
  /** Opens a feed of this rendition as this reel plays it, and has the rendition prepared. */
  openFeed(channel: ChannelConfig, rendition: RenditionSpec, reel: string): number;
  closeFeed(feed: number): void;
  moveReel(move: ReelMove): Promise<unknown>;
  /** How far it is prepared; null when nothing is known of it. */
  progress(channel: ChannelConfig): { readonly durationUs: number; readonly preparedUs: number } | null;
  readonly nowMs: () => number;
}

export interface ReelMove extends FilmMove {
  readonly reel: string;
}

/** As the engine tells it. */
export interface ReelState {
  readonly positionUs: number;
  readonly isRunning: boolean;
}

/** Times are microseconds from the film's start. */
export interface FilmMove {
  readonly positionUs?: number;
  readonly paused?: boolean;
}

/** Where a viewer is in a film. */
export interface FilmPosition {
  readonly positionUs: number;
  readonly durationUs: number;
  /** As far as it can be sought. */
  readonly preparedUs: number;
  /** Does it go on as time does; not while it is paused, on hold, or waits for what is to come. */
  readonly isRunning: boolean;
  readonly isPaused: boolean;
}

export interface FilmUseOptions {
  readonly channel: ChannelConfig;
  readonly reel: string;
  readonly info: SourceInfo;
  readonly ports: FilmPorts;
  readonly leave: () => void;
}

/** One viewer's hold on a film, and his place in it. */
export class FilmUse {
  readonly info: SourceInfo;
  /** Called when it goes on from another place, or stands. */
  onMoved: (() => void) | null = null;
  readonly #options: FilmUseOptions;
  readonly #feeds = new Map<string, number>();
  #state: ReelState = { positionUs: 0, isRunning: false };
  #atMs = 0;
  #isPaused = false;

  constructor(options: FilmUseOptions) {
    this.#options = options;
    this.info = options.info;
  }

  /** Its feeds stay as long as the hold: who comes back from hold goes on where he was. */
  watch(rendition: RenditionSpec): { readonly feed: number; release(): void } {
    const { channel, reel, ports } = this.#options;
    const key = JSON.stringify(rendition);
    const feed = this.#feeds.get(key) ?? ports.openFeed(channel, rendition, reel);
    this.#feeds.set(key, feed);
    return { feed, release: () => undefined };
  }

  get position(): FilmPosition {
    const { channel, ports } = this.#options;
    const { durationUs, preparedUs } = ports.progress(channel) ?? { durationUs: 0, preparedUs: 0 };
    const { positionUs, isRunning } = this.#state;
    const elapsedUs = isRunning ? (ports.nowMs() - this.#atMs) * 1000 : 0;
    const now = Math.min(positionUs + elapsedUs, Math.max(durationUs, positionUs));
    return { positionUs: now, durationUs, preparedUs, isRunning, isPaused: this.#isPaused };
  }

  /** Goes to the key frame before a moment, or before the end of what is prepared; has him wait, or go on. */
  async move({ positionUs, paused = this.#isPaused }: FilmMove): Promise<FilmPosition> {
    const { reel, ports } = this.#options;
    const { preparedUs } = this.position;
    this.#isPaused = paused;
    const reachable = positionUs === undefined ? {} : { positionUs: Math.max(0, Math.min(positionUs, preparedUs - 1)) };
    await ports.moveReel({ reel, paused, ...reachable });
    return this.position;
  }

  /** The engine has moved it. */
  moved(state: ReelState): void {
    this.#state = state;
    this.#atMs = this.#options.ports.nowMs();
    this.onMoved?.();
  }

  close(): void {
    this.closeFeeds();
    this.#options.leave();
  }

  closeFeeds(): void {
    for (const feed of this.#feeds.values()) this.#options.ports.closeFeed(feed);
    this.#feeds.clear();
  }
}
