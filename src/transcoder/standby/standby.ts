import { AV_CHANNEL_LAYOUT_STEREO, AV_SAMPLE_FMT_S16 } from 'node-av/constants';
import { Frame } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import { type Medium, type SourceSink, sleepUntil } from '../source/index.ts';
import type { PassThrough, SourceInfo } from '../wire.ts';
import { drawSlate } from './slate.ts';

export interface StandbyOptions {
  readonly title: string;
  readonly sink: SourceSink;
  /** Unix time in microseconds, never going back. */
  readonly nowUs: () => number;
  /** Is the source out, or back. */
  readonly changed: (out: boolean) => void;
  /** {@link AFTER_US} by default. */
  readonly afterUs?: number;
}

/** Nobody hangs up because of a moment; more than that without picture and sound looks like a fault of ours. */
const AFTER_US = 1_000_000;
const LOOK_US = 100_000;
/** A still picture: often enough for whoever joins and whoever loses packets. */
const PICTURE_US = 100_000;
const SILENCE_US = 20_000;
const SAMPLE_RATE_HZ = 48_000;
const CHANNELS = 2;

/** Passes a live source on, and stands in for it with a slate and silence while nothing comes of it. */
export class Standby implements SourceSink {
  readonly #options: StandbyOptions;
  readonly #ending = new AbortController();
  #info: SourceInfo | null = null;
  #heardUs = 0;
  /** What the source's packets are. */
  readonly #makes: Record<Medium, PassThrough | null> = { video: null, audio: null };
  /** While the source is out. */
  #standIn: { readonly end: AbortController; readonly done: Promise<unknown> } | null = null;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  /** A source is open, for the first time or again: this is what there will be to stand in for. */
  opened(info: SourceInfo): void {
    const isFirst = this.#info === null;
    this.#info = info;
    if (!isFirst) return;
    this.#heardUs = this.#options.nowUs();
    void this.#watch();
  }

  /** Is the slate shown. */
  get isOut(): boolean {
    return this.#standIn !== null;
  }

  video(frame: Frame, ptsUs: number): void {
    this.#heard();
    this.#options.sink.video(frame, ptsUs);
  }

  audio(frame: Frame, ptsUs: number): void {
    // Sound comes back with the picture, which may need its next key frame first.
    if (this.#standIn !== null && this.#info?.video !== null) return;
    this.#heard();
    this.#options.sink.audio(frame, ptsUs);
  }

  /** The source is there, and we are too slow for it. */
  late(): void {
    if (this.#standIn !== null) return;
    this.#heardUs = this.#options.nowUs();
    this.#options.sink.late();
  }

  needsFrames(medium: Medium): boolean {
    return this.#options.sink.needsFrames(medium);
  }

  passes(medium: Medium, make: PassThrough | null): void {
    this.#makes[medium] = make;
    if (this.#standIn === null) this.#options.sink.passes(medium, make);
  }

  packet(medium: Medium, packet: EncodedFrame): void {
    const waits = medium === 'video' ? !packet.keyFrame : this.#info?.video !== null;
    if (this.#standIn !== null && waits) return;
    this.#heard();
    this.#options.sink.packet(medium, packet);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    const standIn = this.#standIn;
    standIn?.end.abort();
    await standIn?.done;
  }

  #heard(): void {
    this.#heardUs = this.#options.nowUs();
    if (this.#standIn === null) return;
    this.#standIn.end.abort();
    this.#standIn = null;
    this.#passOn(this.#makes);
    this.#options.changed(false);
  }

  #passOn(makes: Readonly<Record<Medium, PassThrough | null>>): void {
    for (const medium of ['video', 'audio'] as const) this.#options.sink.passes(medium, makes[medium]);
  }

  async #watch(): Promise<void> {
    const { nowUs, afterUs = AFTER_US, changed } = this.#options;
    while (await sleepUntil(nowUs() + LOOK_US, nowUs, this.#ending.signal)) {
      if (this.#standIn !== null || nowUs() - this.#heardUs < afterUs) continue;
      const end = new AbortController();
      this.#passOn({ video: null, audio: null });
      this.#standIn = { end, done: Promise.all([this.#show(end.signal), this.#beSilent(end.signal)]) };
      changed(true);
    }
  }

  async #show(signal: AbortSignal): Promise<void> {
    const { title, sink, nowUs } = this.#options;
    const size = this.#info!.video;
    if (size === null) return;
    using slate = drawSlate(title, size);
    for (let dueUs = nowUs(); await sleepUntil(dueUs, nowUs, signal); dueUs = Math.max(dueUs + PICTURE_US, nowUs())) {
      sink.video(slate, dueUs);
    }
  }

  async #beSilent(signal: AbortSignal): Promise<void> {
    const { sink, nowUs } = this.#options;
    if (this.#info!.audio === null) return;
    const nbSamples = (SAMPLE_RATE_HZ * SILENCE_US) / 1_000_000;
    using silence = Frame.fromAudioBuffer(Buffer.alloc(nbSamples * CHANNELS * 2), {
      nbSamples,
      format: AV_SAMPLE_FMT_S16,
      sampleRate: SAMPLE_RATE_HZ,
      channelLayout: AV_CHANNEL_LAYOUT_STEREO,
    });
    for (let dueUs = nowUs(); await sleepUntil(dueUs, nowUs, signal); dueUs += SILENCE_US) sink.audio(silence, dueUs);
  }
}
