import { AVMEDIA_TYPE_VIDEO } from 'node-av/constants';
import type { Packet, Rational, Stream } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import { createPassage, isSameMake, type Passage } from '../pass-through/index.ts';
import type { SubtitleTrack } from '../subtitles/index.ts';
import type { PassThrough, SourceInfo, Verdict } from '../wire.ts';
import { sleepUntil } from './pace.ts';
import { PacketQueue } from './packet-queue.ts';
import type { Medium, SourceOptions, SourceSink } from './source.ts';
import { type Deliver, StreamDecoder } from './stream-decoder.ts';

/** A picture that is later than this is left out, so that delay never adds up. */
const LATE_US = 200_000;
/** Decoding that is so far behind is given up until the present, or it would fall behind ever further. */
const HOPELESS_US = 1_000_000;

/** What most files have that do not say how fast they are. */
const DEFAULT_FRAME_RATE = 25;
const MOST_FRAME_RATE = 120;
const USUAL_SOUND_US = 20_000;

/** AV_NOPTS_VALUE: the time is not known. */
export const NO_TIME = -(2n ** 63n);

const NOT_WANTED: Verdict = { obstacle: 'the configuration has it encoded' };

export type PlayerOptions = Pick<SourceOptions, 'nowUs' | 'passThrough'> & {
  /** To be shown in the pictures. */
  readonly subtitles?: SubtitleTrack | null;
  /** `info` says something new. */
  readonly changed: () => void;
};

/** Plays one stream, whose packets say in Unix microseconds when they are due: as frames, and as packets where it may. */
export class StreamPlayer {
  readonly queue = new PacketQueue();
  readonly index: number;
  readonly medium: Medium;
  /** Of its packets' times, in seconds. */
  readonly timeBase: Rational;
  /** When the next packet is due in the source's own time, should it not say so itself. */
  nextUs = 0;
  /** What a packet lasts that does not say so. */
  readonly usualDurationUs: number;
  readonly #options: PlayerOptions;
  readonly #decoder: StreamDecoder;
  readonly stream: Stream;
  readonly #passage: Passage | null;
  #verdict: Verdict;
  #form = '';
  /** The make of the packets that go to the sink. */
  #passing: PassThrough | null = null;

  /** Null when FFmpeg has no decoder for the stream or refuses it. */
  static async open(stream: Stream, options: PlayerOptions): Promise<StreamPlayer | null> {
    const decoder = await StreamDecoder.open(stream, options.subtitles);
    return decoder && new StreamPlayer(stream, decoder, options);
  }

  private constructor(stream: Stream, decoder: StreamDecoder, options: PlayerOptions) {
    this.index = stream.index;
    this.stream = stream;
    this.timeBase = stream.timeBase;
    this.#decoder = decoder;
    this.#options = options;
    this.medium = stream.codecpar.codecType === AVMEDIA_TYPE_VIDEO ? 'video' : 'audio';
    this.usualDurationUs = this.medium === 'video' ? 1_000_000 / this.#frameRate : USUAL_SOUND_US;
    const passage = this.#createPassage(options.passThrough);
    this.#passage = 'take' in passage ? passage : null;
    this.#verdict = 'take' in passage ? passage.verdict : passage;
    this.#form = this.#formNow;
  }

  /** Empty for a stream that has not said yet what it is. */
  get info(): Partial<SourceInfo> {
    const { width, height, sampleAspectRatio, sampleRate, channelLayout } = this.#decoder.context;
    const { pictures } = this.#decoder;
    if (!this.#isKnown) return {};
    if (pictures !== null) {
      const shown = pictures.shown(width, height, sampleAspectRatio);
      return { video: { ...shown, frameRate: this.#frameRate, ...this.#verdict } };
    }
    return { audio: { sampleRateHz: sampleRate, channels: channelLayout.nbChannels, ...this.#verdict } };
  }

  get #isKnown(): boolean {
    const { width, sampleRate } = this.#decoder.context;
    return (this.medium === 'video' ? width : sampleRate) > 0;
  }

  isOfKind({ codecpar }: Stream): boolean {
    return codecpar.codecType === this.stream.codecpar.codecType;
  }

  /** Decodes a packet for what it says of the stream alone. */
  async learn(packet: Packet): Promise<void> {
    const copy = packet.clone();
    if (copy !== null) await this.#decoder.take(copy, true, async () => true);
  }

  get #frameRate(): number {
    const { avgFrameRate, rFrameRate } = this.stream;
    const rates = [avgFrameRate, rFrameRate, this.#decoder.context.framerate];
    const [average, least, told] = rates.map(({ num, den }) => (num > 0 && den > 0 ? num / den : 0)) as [
      number,
      number,
      number,
    ];
    // A rate that varies is at times higher than on the average; beyond any picture's it is that of the clock.
    if (least <= MOST_FRAME_RATE) return Math.max(average, least) || told || DEFAULT_FRAME_RATE;
    return Math.max(average, DEFAULT_FRAME_RATE);
  }

  #createPassage(isWanted: boolean): Passage | Verdict {
    if (!isWanted) return NOT_WANTED;
    const obstacle = this.#decoder.pictures?.obstacle ?? null;
    return obstacle === null ? createPassage(this.stream.codecpar, this.#decoder.name) : { obstacle };
  }

  /** Queues a copy of the reader's packet. */
  take(packet: Packet): void {
    const copy = packet.clone();
    if (copy !== null) this.queue.push(copy);
  }

  /** Resolves when the queue is closed and played, or `signal` is aborted. */
  async play(sink: SourceSink, signal: AbortSignal): Promise<void> {
    const deliver: Deliver = async (frame, dueUs) => {
      const { nowUs } = this.#options;
      if (this.medium === 'video' && nowUs() - dueUs >= LATE_US) {
        // When nothing waits to be decoded it is the source that is late.
        if (!this.queue.isEmpty) sink.late();
        return true;
      }
      if (!(await sleepUntil(dueUs, nowUs, signal))) return false;
      this.medium === 'video' ? sink.video(frame, dueUs) : sink.audio(frame, dueUs);
      return true;
    };
    try {
      for (let item = await this.queue.shift(); item !== null && !signal.aborted; item = await this.queue.shift()) {
        if (item === 'end') await this.#decoder.end(deliver);
        else await this.#playPacket(item, sink, deliver, signal);
      }
    } finally {
      await this.#decoder.settle();
      if (this.#passing !== null) sink.passes(this.medium, null);
    }
  }

  close(): void {
    this.queue.clear();
    this.#decoder.close();
  }

  async #playPacket(packet: Packet, sink: SourceSink, deliver: Deliver, signal: AbortSignal): Promise<void> {
    const { pts, dts } = packet;
    const ptsUs = Number(pts === NO_TIME ? dts : pts);
    const passed = this.#passage?.take(packet.data ?? Buffer.alloc(0), ptsUs) ?? null;
    const isHopeless = !this.queue.isEmpty && this.#options.nowUs() - ptsUs > HOPELESS_US;
    if (isHopeless && this.medium === 'video') sink.late();
    const areFramesNeeded = sink.needsFrames(this.medium) || !this.#isKnown;
    await this.#decoder.take(packet, areFramesNeeded && !isHopeless, deliver);
    // What is not decoded tells nothing new, and asking costs more than passing a packet on.
    if (this.#decoder.isRunning) this.#lookAtForm();
    const make = this.#look();
    if (make === null && this.#decoder.isRunning) return this.#pass(null, null, sink);
    // Decoded or not, a source is played as fast as its time goes.
    const dueUs = make === null && dts !== NO_TIME ? Number(dts) : ptsUs;
    if (await sleepUntil(dueUs, this.#options.nowUs, signal)) this.#pass(make, passed, sink);
  }

  /** Says so when the pictures have another size than before, or the sound more channels. */
  #lookAtForm(): void {
    const form = this.#formNow;
    if (form === this.#form) return;
    this.#form = form;
    if (this.#isKnown) this.#options.changed();
  }

  get #formNow(): string {
    const { context } = this.#decoder;
    if (this.medium === 'audio') return [context.sampleRate, context.channelLayout.nbChannels].join();
    const { num, den } = context.sampleAspectRatio;
    return [context.width, context.height, num, den].join();
  }

  /** The make of packets that viewers may get; says so when there is something new to say of it. */
  #look(): PassThrough | null {
    if (this.#passage === null) return null;
    const { verdict } = this.#passage;
    if (verdict.obstacle !== this.#verdict.obstacle || !isSameMake(verdict.passThrough, this.#verdict.passThrough)) {
      this.#verdict = verdict;
      this.#options.changed();
    }
    return verdict.obstacle === undefined ? (verdict.passThrough ?? null) : null;
  }

  #pass(make: PassThrough | null, packet: EncodedFrame | null, sink: SourceSink): void {
    if (!isSameMake(make, this.#passing)) {
      this.#passing = make;
      sink.passes(this.medium, make);
    }
    if (make !== null && packet !== null) sink.packet(this.medium, packet);
  }
}
