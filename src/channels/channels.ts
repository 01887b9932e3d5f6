import type { ChannelConfig } from '../config/index.ts';
import { DialcastError } from '../errors.ts';
import type { SourceInfo } from '../transcoder/index.ts';
import { Channel, type ChannelLimits, type ChannelPorts } from './channel.ts';

const LIMITS: ChannelLimits = {
  openTimeoutMs: 10_000,
  transcoderLingerMs: 10_000,
  renditionLingerMs: 3_000,
  failureMemoryMs: 60_000,
};

/** The catalogue: every channel by name and by number. */
export class Channels {
  readonly #byTarget = new Map<string, Channel>();
  readonly #channels: readonly Channel[];

  constructor(configs: readonly ChannelConfig[], ports: ChannelPorts, limits: ChannelLimits = LIMITS) {
    this.#channels = configs.map(config => new Channel(config, ports, limits));
    for (const channel of this.#channels) {
      this.#byTarget.set(channel.config.name, channel);
      this.#byTarget.set(String(channel.config.number), channel);
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

  transcoderFailed(name: string, reason: string): void {
    this.find(name)?.sourceGone(new DialcastError('TRANSCODER_FAILED', reason));
  }

  /** Ends every transcoder at once. */
  close(): void {
    for (const channel of this.#channels) channel.shutDown();
  }
}
