import type { EncoderCount, EngineMessage, TranscoderMessage } from '../transcoder/wire.ts';
import { Feed } from './feed.ts';
import type { Reels } from './film/index.ts';
import type { FanOut } from './native.ts';
import type { EngineStats, FeedSpec } from './protocol.ts';

type StatsMessage = Extract<TranscoderMessage, { type: 'stats' }>;

/** Every feed that is open, and what their transcoders are told. */
export class Feeds {
  readonly #fanOut: FanOut;
  readonly #reels: Reels;
  readonly #tell: (channel: string, message: EngineMessage) => void;
  readonly #feeds = new Map<number, Feed>();
  /** Frames of feeds that are closed by now, by channel and codec. */
  readonly #frames = new Map<string, { channel: string; codec: string; frames: number }>();

  /** By channel, as their transcoders report them. */
  readonly #encoders = new Map<string, EncoderCount>();

  constructor(fanOut: FanOut, reels: Reels, tell: (channel: string, message: EngineMessage) => void) {
    this.#fanOut = fanOut;
    this.#reels = reels;
    this.#tell = tell;
  }

  open(spec: FeedSpec): void {
    const { channel, feed: id, film } = spec;
    // The key frames of a film are where they are.
    const askKeyFrame = () => film === undefined && this.#tell(channel, { type: 'keyFrame', id });
    const feed = new Feed(spec, this.#fanOut, askKeyFrame);
    this.#feeds.set(id, feed);
    if (film === undefined) this.#start(spec);
    else this.#reels.open(feed, film);
  }

  close(id: number): void {
    const feed = this.#feeds.get(id);
    if (feed === undefined) return;
    this.#feeds.delete(id);
    const { channel, film } = feed.spec;
    if (film === undefined) this.#tell(channel, { type: 'stop', id });
    else this.#reels.close(feed, film);
    add(this.#frames, feed, feed.frames);
    feed.close();
  }

  get(id: number): Feed | undefined {
    return this.#feeds.get(id);
  }

  /** A transcoder is there, for the first time or after a restart: it is told all that its channel needs. */
  transcoderStarted(channel: string): void {
    for (const feed of this.#feeds.values()) {
      if (feed.spec.channel !== channel || feed.spec.film !== undefined) continue;
      feed.transcoderStarted();
      this.#start(feed.spec);
    }
  }

  transcoderGone(channel: string): void {
    this.#encoders.delete(channel);
  }

  push(channel: string, frame: Extract<TranscoderMessage, { type: 'frame' }>, nowMs: number): void {
    const feed = this.#feeds.get(frame.id);
    // A frame may still be under way when its feed is closed; another channel's id is nobody's business.
    if (feed?.spec.channel === channel) feed.push(frame, nowMs);
  }

  /** What a transcoder says of its renditions, once in a while. */
  report(channel: string, { renditions, encoders }: Pick<StatsMessage, 'renditions' | 'encoders'>): void {
    this.#encoders.set(channel, encoders);
    for (const { id, passedThrough = false } of renditions) {
      const feed = this.#feeds.get(id);
      if (feed?.spec.channel === channel) feed.passedThrough = passedThrough;
    }
  }

  stats(): Pick<EngineStats, 'feeds' | 'reels' | 'frames' | 'encoders'> {
    const feeds = [...this.#feeds.values()];
    const frames = new Map([...this.#frames].map(([key, entry]) => [key, { ...entry }]));
    for (const feed of feeds) add(frames, feed, feed.frames);
    const made = feeds.filter(({ spec: { film } }) => film === undefined);
    return {
      reels: this.#reels.size,
      feeds: made.map(({ spec, watchers, passedThrough }) => ({
        channel: spec.channel,
        codec: spec.rendition.codec,
        viewers: watchers,
        passedThrough,
      })),
      frames: [...frames.values()],
      encoders: [...this.#encoders].map(([channel, count]) => ({ channel, ...count })),
    };
  }

  #start({ channel, feed, rendition }: FeedSpec): void {
    this.#tell(channel, { type: 'start', id: feed, rendition });
  }
}

function add(counts: Map<string, { channel: string; codec: string; frames: number }>, { spec }: Feed, frames: number) {
  const { channel, rendition } = spec;
  const key = `${channel} ${rendition.codec}`;
  const entry = counts.get(key) ?? { channel, codec: rendition.codec, frames: 0 };
  entry.frames += frames;
  counts.set(key, entry);
}
