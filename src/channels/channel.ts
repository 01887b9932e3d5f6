import type { ChannelConfig } from '../config/index.ts';
import { DialcastError } from '../errors.ts';
import type { Encoding, RenditionSpec, SourceInfo } from '../transcoder/index.ts';
import { type FilmPorts, FilmUse, type ReelState } from './film-use.ts';

/** What a channel needs of the clock; every wait of this room goes through it. */
export interface Timers {
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** What a channel does to the world: its transcoder process and its feeds in the engine. */
export interface ChannelPorts {
  startTranscoder(channel: ChannelConfig): void;
  stopTranscoder(channel: ChannelConfig): void;
  openFeed(channel: string, rendition: RenditionSpec): number;
  closeFeed(feed: number): void;
  readonly films: Omit<FilmPorts, 'closeFeed'>;
  /** It can be watched now, or no longer. */
  availabilityChanged(channel: ChannelConfig): void;
  /** Its viewers see the slate from now on, or no longer. */
  slateChanged(channel: ChannelConfig, isShown: boolean): void;
  readonly timers: Timers;
}

export interface ChannelLimits {
  /** How long a source may take to open. */
  readonly openTimeoutMs: number;
  /** How long the transcoder lives on after the last viewer. */
  readonly transcoderLingerMs: number;
  /** How long an encoder lives on after its last viewer. */
  readonly renditionLingerMs: number;
  /** How long a failure is held against the source; nobody looks whether it is well while nobody watches. */
  readonly failureMemoryMs: number;
}

/** One viewer's hold on a channel; the transcoder runs while there is one. */
export interface ChannelUse {
  readonly info: SourceInfo;
  /** The feed of this rendition, shared by everybody who asks for the same. Each call needs one `release`. */
  watch(rendition: RenditionSpec): { readonly feed: number; release(): void };
  /** Where the viewer is in a film; null when all watch the same. */
  readonly film: FilmUse | null;
  close(): void;
}

type State =
  | { readonly name: 'off' }
  | { readonly name: 'opening'; readonly timeout: unknown; readonly waiting: Waiting[] }
  | { readonly name: 'on'; readonly info: SourceInfo; readonly outage: string | null };

interface Waiting {
  resolve(): void;
  reject(error: DialcastError): void;
}

/** A keeper keeps it on air and does not watch. */
type User = 'viewer' | 'keeper';

/** A small picture of what is on. */
export interface Thumbnail {
  readonly jpeg: Uint8Array;
  /** Unix time in milliseconds. */
  readonly takenAtMs: number;
}

interface RunningRendition {
  readonly feed: number;
  watchers: number;
  linger: unknown;
}

/** Runs one channel's transcoder and renditions while somebody watches, and a little longer. */
export class Channel {
  /** What it is played from counts from its next start on. */
  config: ChannelConfig;
  readonly #ports: ChannelPorts;
  readonly #limits: ChannelLimits;
  readonly #users = new Map<(reason: string) => void, User>();
  readonly #renditions = new Map<string, RunningRendition>();
  /** Viewers of a film, by their reels. */
  readonly #reels = new Map<string, { readonly use: FilmUse; readonly user: (reason: string) => void }>();
  #nextReel = 1;
  #state: State = { name: 'off' };
  #linger: unknown = null;
  /** Runs while a failure is not forgotten. */
  #failure: unknown = null;
  #wasAvailable = true;
  #wasSlateShown = false;
  #thumbnail: Thumbnail | null = null;
  #encoding: Encoding | null = null;

  constructor(config: ChannelConfig, ports: ChannelPorts, limits: ChannelLimits) {
    this.config = config;
    this.#ports = ports;
    this.#limits = limits;
  }

  /** Nothing of it runs, so nobody watches. */
  get isOff(): boolean {
    return this.#state.name === 'off';
  }

  get onAir(): boolean {
    return this.#state.name === 'on';
  }

  /** Of the source as it is, or was when it was there last; null when the channel is not on air. */
  get info(): SourceInfo | null {
    return this.#state.name === 'on' ? this.#state.info : null;
  }

  /** Why nothing comes of the source, so that viewers see a slate; null while all is well. */
  get outage(): string | null {
    return this.#state.name === 'on' ? this.#state.outage : null;
  }

  /** May who calls expect a picture: the source is not out, and did not fail a moment ago. */
  get available(): boolean {
    return this.outage === null && this.#failure === null;
  }

  /** The last one since the channel went on air; null when there is none yet. */
  get thumbnail(): Thumbnail | null {
    return this.#thumbnail;
  }

  /** How its pictures are encoded; null while no transcoder has said so. */
  get encoding(): Encoding | null {
    return this.#encoding;
  }

  get viewers(): number {
    return [...this.#users.values()].filter(user => user === 'viewer').length;
  }

  /**
   * Puts the channel on air if it is not and gives a hold on it. `onGone` is called when the channel goes off air
   * while held, with the reason in words. Rejects with SOURCE_OPEN_FAILED or TRANSCODER_FAILED.
   */
  async open(onGone: (reason: string) => void, as: User = 'viewer'): Promise<ChannelUse> {
    let holds = false;
    // A function of its own for each hold: two holders may pass the same callback. Who still waits gets the rejection.
    const user = (reason: string) => {
      if (holds) onGone(reason);
    };
    this.#users.set(user, as);
    this.#ports.timers.clearTimeout(this.#linger);
    try {
      await this.#start();
      if (this.#state.name !== 'on') throw new DialcastError('SOURCE_OPEN_FAILED', 'the channel went off air');
    } catch (error) {
      this.#leave(user);
      throw error;
    }
    holds = true;
    const { info } = this.#state;
    const leave = () => this.#leave(user);
    if (this.config.film) return this.#openFilm(info, user, leave);
    return { info, film: null, watch: rendition => this.#watch(rendition), close: leave };
  }

  /** The transcoder has the source open, for the first time or again after an outage or a restart. */
  sourceOpened(info: SourceInfo): void {
    if (this.#state.name === 'off') return;
    const waiting = this.#settle();
    this.#state = { name: 'on', info, outage: null };
    this.#tellSlate();
    this.#forgive();
    for (const { resolve } of waiting) resolve();
  }

  /** Nothing comes of the source for now; whoever watches stays. */
  sourceOut(reason: string): void {
    if (this.#state.name !== 'on') return;
    this.#state = { ...this.#state, outage: reason };
    this.#tellSlate();
    this.#tellAvailability();
  }

  reelMoved(reel: string, state: ReelState): void {
    this.#reels.get(reel)?.use.moved(state);
  }

  /** The film is over for one of its viewers. */
  reelEnded(reel: string, fault: string | null): void {
    this.#reels.get(reel)?.user(fault ?? 'the film has ended');
  }

  thumbnailMade(thumbnail: Thumbnail): void {
    if (this.#state.name === 'on') this.#thumbnail = thumbnail;
  }

  encodingChanged(encoding: Encoding): void {
    if (this.#state.name !== 'off') this.#encoding = encoding;
  }

  /** The source cannot be opened, ended, or its transcoder was given up: everybody has to go. */
  sourceGone(error: DialcastError): void {
    if (this.#state.name === 'off') return;
    const waiting = this.#settle();
    this.#ports.timers.clearTimeout(this.#linger);
    this.#turnOff();
    for (const { reject } of waiting) reject(error);
    for (const user of [...this.#users.keys()]) user(error.detail);
    if (error.code !== 'SOURCE_ENDED') this.#blame();
    this.#tellAvailability();
  }

  /** Ends the transcoder at once; used at shutdown. */
  shutDown(): void {
    this.#ports.timers.clearTimeout(this.#linger);
    this.#settle();
    if (this.#state.name !== 'off') this.#turnOff();
    this.#forgive();
  }

  #start(): Promise<void> {
    if (this.#state.name === 'on') return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#state.name === 'opening') {
      this.#state.waiting.push({ resolve, reject });
      return promise;
    }
    const seconds = this.#limits.openTimeoutMs / 1000;
    const timeout = this.#ports.timers.setTimeout(() => {
      const detail = `the source did not open within ${seconds} seconds`;
      this.sourceGone(new DialcastError('SOURCE_OPEN_FAILED', detail));
    }, this.#limits.openTimeoutMs);
    this.#state = { name: 'opening', timeout, waiting: [{ resolve, reject }] };
    this.#ports.startTranscoder(this.config);
    return promise;
  }

  #openFilm(info: SourceInfo, user: (reason: string) => void, leave: () => void): ChannelUse {
    const reel = `${this.config.name} ${this.#nextReel++}`;
    const { films, closeFeed } = this.#ports;
    const use = new FilmUse({
      channel: this.config,
      reel,
      info,
      ports: { ...films, closeFeed },
      leave: () => {
        this.#reels.delete(reel);
        leave();
      },
    });
    this.#reels.set(reel, { use, user });
    return { info, film: use, watch: rendition => use.watch(rendition), close: () => use.close() };
  }

  /** Ends the opening, if one is under way, and returns who waits for it. */
  #settle(): Waiting[] {
    if (this.#state.name !== 'opening') return [];
    this.#ports.timers.clearTimeout(this.#state.timeout);
    return this.#state.waiting;
  }

  #watch(rendition: RenditionSpec): { feed: number; release(): void } {
    const key = JSON.stringify(rendition);
    const running = this.#renditions.get(key) ?? {
      feed: this.#ports.openFeed(this.config.name, rendition),
      watchers: 0,
      linger: null,
    };
    this.#renditions.set(key, running);
    this.#ports.timers.clearTimeout(running.linger);
    running.watchers++;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--running.watchers > 0) return;
      running.linger = this.#ports.timers.setTimeout(() => {
        // Not another one that came in its place, after the channel was off.
        if (this.#renditions.get(key) === running) this.#stopRendition(key);
      }, this.#limits.renditionLingerMs);
    };
    return { feed: running.feed, release };
  }

  #stopRendition(key: string): void {
    const running = this.#renditions.get(key);
    if (running === undefined) return;
    this.#renditions.delete(key);
    this.#ports.timers.clearTimeout(running.linger);
    this.#ports.closeFeed(running.feed);
  }

  #leave(user: (reason: string) => void): void {
    if (!this.#users.delete(user) || this.#users.size > 0 || this.#state.name === 'off') return;
    this.#linger = this.#ports.timers.setTimeout(() => this.shutDown(), this.#limits.transcoderLingerMs);
  }

  #blame(): void {
    this.#ports.timers.clearTimeout(this.#failure);
    this.#failure = this.#ports.timers.setTimeout(() => this.#forgive(), this.#limits.failureMemoryMs);
  }

  #forgive(): void {
    this.#ports.timers.clearTimeout(this.#failure);
    this.#failure = null;
    this.#tellAvailability();
  }

  #tellAvailability(): void {
    if (this.available === this.#wasAvailable) return;
    this.#wasAvailable = this.available;
    this.#ports.availabilityChanged(this.config);
  }

  #tellSlate(): void {
    const isShown = this.outage !== null;
    if (isShown === this.#wasSlateShown) return;
    this.#wasSlateShown = isShown;
    this.#ports.slateChanged(this.config, isShown);
  }

  #turnOff(): void {
    this.#state = { name: 'off' };
    this.#tellSlate();
    this.#thumbnail = null;
    this.#encoding = null;
    for (const key of [...this.#renditions.keys()]) this.#stopRendition(key);
    for (const { use } of this.#reels.values()) use.closeFeeds();
    this.#ports.stopTranscoder(this.config);
  }
}
