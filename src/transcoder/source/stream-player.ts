import { AVMEDIA_TYPE_VIDEO } from 'node-av/constants';
import { Codec, CodecContext, Frame, type Packet, Rational, type Stream } from 'node-av/lib';
import type { SourceInfo } from '../wire.ts';
import { sleepUntil } from './pace.ts';
import { PacketQueue } from './packet-queue.ts';
import type { SourceSink } from './source.ts';

/** A picture that is later than this is left out, so that delay never adds up. */
const LATE_US = 200_000;

/** What most files have that do not say how fast they are. */
const DEFAULT_FRAME_RATE = 25;
const USUAL_SOUND_US = 20_000;

/** Decodes one stream, whose packets say in Unix microseconds when they are due, and delivers its frames then. */
export class StreamPlayer {
  readonly queue = new PacketQueue();
  readonly index: number;
  /** When the next packet is due in the source's own time, should it not say so itself. */
  nextUs = 0;
  /** What a packet lasts that does not say so. */
  readonly usualDurationUs: number;
  readonly #decoder: CodecContext;
  readonly #stream: Stream;
  readonly #isVideo: boolean;

  /** Null when FFmpeg has no decoder for the stream or refuses it. */
  static async open(stream: Stream): Promise<StreamPlayer | null> {
    const codec = Codec.findDecoder(stream.codecpar.codecId);
    if (codec === null) return null;
    const decoder = new CodecContext();
    decoder.allocContext3(codec);
    decoder.parametersToContext(stream.codecpar);
    decoder.pktTimebase = new Rational(1, 1_000_000);
    decoder.threadCount = 2;
    if ((await decoder.open2(codec, null)) >= 0) return new StreamPlayer(stream, decoder);
    decoder.freeContext();
    return null;
  }

  private constructor(stream: Stream, decoder: CodecContext) {
    this.index = stream.index;
    this.#stream = stream;
    this.#decoder = decoder;
    this.#isVideo = stream.codecpar.codecType === AVMEDIA_TYPE_VIDEO;
    this.usualDurationUs = this.#isVideo ? 1_000_000 / this.#frameRate : USUAL_SOUND_US;
  }

  get info(): Partial<SourceInfo> {
    const { width, height, sampleRate, channelLayout } = this.#decoder;
    if (!this.#isVideo) return { audio: { sampleRateHz: sampleRate, channels: channelLayout.nbChannels } };
    return { video: { width, height, frameRate: this.#frameRate } };
  }

  get #frameRate(): number {
    const { num, den } = this.#stream.avgFrameRate;
    return num > 0 && den > 0 ? num / den : DEFAULT_FRAME_RATE;
  }

  /** Queues a copy of the reader's packet. */
  take(packet: Packet): void {
    const copy = packet.clone();
    if (copy !== null) this.queue.push(copy);
  }

  /** Resolves when the queue is closed and played, or `signal` is aborted. */
  async play(sink: SourceSink, nowUs: () => number, signal: AbortSignal): Promise<void> {
    using frame = new Frame();
    frame.alloc();
    for (let item = await this.queue.shift(); item !== null && !signal.aborted; item = await this.queue.shift()) {
      const packet = item === 'end' ? null : item;
      // A damaged packet is refused here; the picture recovers with the next key frame.
      await this.#decoder.sendPacket(packet);
      packet?.free();
      while (!signal.aborted && (await this.#decoder.receiveFrame(frame)) >= 0) {
        const dueUs = Number(frame.bestEffortTimestamp);
        if (!this.#isVideo || nowUs() - dueUs < LATE_US) {
          if (!(await sleepUntil(dueUs, nowUs, signal))) break;
          this.#isVideo ? sink.video(frame, dueUs) : sink.audio(frame, dueUs);
        }
        frame.unref();
      }
      // Drained, a decoder takes nothing more until it is told that a new pass begins.
      if (packet === null) this.#decoder.flushBuffers();
    }
  }

  close(): void {
    this.queue.clear();
    this.#decoder.freeContext();
  }
}
