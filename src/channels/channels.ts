import type { ChannelConfig } from '../config/index.ts';
import { DialcastError } from '../errors.ts';
import type { Encoding, SourceInfo } from '../transcoder/index.ts';
import { Channel, type ChannelLimits, type ChannelPorts, type Thumbnail } from './channel.ts';
import type { ReelState } from './film-use.ts';
import { Keeper } from './keeper.ts';

const LIMITS: ChannelLimits = {
  openTimeoutMs: 10_000,
  transcoderLingerMs: 10_000,
  renditionLingerMs: 3_000,
  failureMemoryMs: 60_000,
};

/** Ten times what it takes: a process that a hostile source got into must not fill our memory. */
const MOST_THUMBNAIL_BYTES = 256 * 1024;

/** The catalogue: every channel by name and by number. */
export class Channels {
  readonly #ports: ChannelPorts;
  readonly #limits: ChannelLimits;
  /** By name, of channels that are always on. */
  readonly #keepers = new Map<string, Keeper>();
  #byTarget: ReadonlyMap<string, Channel> = new Map();
  #channels: readonly Channel[] = [];

  constructor(configs: readonly ChannelConfig[], ports: ChannelPorts, limits: ChannelLimits = LIMITS) {
    this.#ports = ports;
    this.#limits = limits;
    this.replace(configs);
  }

  /**
   * Takes another catalogue. A channel that has its name in both goes on, and plays what it is now with its next start.
   * One that is in the new one no more stays as long as it is on air, until the next time.
   */
  replace(configs: readonly ChannelConfig[]): void {
    const before = new Map(this.#channels.map(channel => [channel.config.name, channel]));
    const channels = configs.map(config => {
      const channel = before.get(config.name) ?? new Channel(config, this.#ports, this.#limits);
      before.delete(config.name);
      channel.config = config;
      return channel;
    });
    const leaving = [...before.values()].filter(({ isOff }) => !isOff);
    for (const channel of before.values()) if (channel.isOff) channel.shutDown();
    this.#channels = [...channels, ...leaving];
    // Those that leave come first: their numbers may be others' already.
    this.#byTarget = new Map(
      [...leaving, ...channels].flatMap(channel => [
        [channel.config.name, channel],
        [String(channel.config.number), channel],
      ]),
    );
  }

  /** Puts the channels on air that always are, now that their transcoders can be started. */
  keepOn(): void {
    for (const channel of this.#channels) {
      const { name, alwaysOn } = channel.config;
      if (!alwaysOn || this.#keepers.has(name)) continue;
      const keeper = new Keeper(channel, this.#ports.timers);
      this.#keepers.set(name, keeper);
      void keeper.keep();
    }
  }

  /** The channel that a SIP user part names: its name or its number. */
  find(target: string): Channel | null {
    return this.#byTarget.get(target) ?? null;
  }

  list(): readonly Channel[] {
    return this.#channels;
  }

  sourceOpened(name: string, info: SourceInfo): void {
    this.find(name)?.sourceOpened(info);
    this.#keepers.get(name)?.look();
  }

  sourceOut(name: string, reason: string): void {
    this.find(name)?.sourceOut(reason);
  }

  sourceFailed(name: string, reason: string): void {
    this.find(name)?.sourceGone(new DialcastError('SOURCE_OPEN_FAILED', reason));
  }

  sourceEnded(name: string): void {
    this.find(name)?.sourceGone(new DialcastError('SOURCE_ENDED', 'the film has ended'));
  }

  reelMoved(reel: string, state: ReelState): void {
    this.#ofReel(reel)?.reelMoved(reel, state);
  }

  reelEnded(reel: string, fault: string | null): void {
    this.#ofReel(reel)?.reelEnded(reel, fault);
  }

  thumbnailMade(name: string, thumbnail: Thumbnail): void {
    if (thumbnail.jpeg.byteLength <= MOST_THUMBNAIL_BYTES) this.find(name)?.thumbnailMade(thumbnail);
  }

  encodingChanged(name: string, encoding: Encoding): void {
    this.find(name)?.encodingChanged(encoding);
  }

  transcoderFailed(name: string, reason: string): void {
    this.find(name)?.sourceGone(new DialcastError('TRANSCODER_FAILED', reason));
  }

  /** A reel is called by its channel's name and a number. */
  #ofReel(reel: string): Channel | null {
    return this.find(reel.split(' ', 1)[0]!);
  }

  /** Ends every transcoder at once. */
  close(): void {
    for (const keeper of this.#keepers.values()) keeper.close();
    for (const channel of this.#channels) channel.shutDown();
  }
}
