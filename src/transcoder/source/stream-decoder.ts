import { AVMEDIA_TYPE_VIDEO } from 'node-av/constants';
import { Codec, CodecContext, Dictionary, Frame, type Packet, Rational, type Stream } from 'node-av/lib';
import type { SubtitleTrack } from '../subtitles/index.ts';
import { GroupOfPictures } from './group-of-pictures.ts';
import { type Picture, ViewablePictures } from './viewable-pictures.ts';

/** Of a picture: what is larger than 7680x4320 would take more memory than a transcoder has. */
const MOST_PIXELS = 7_680 * 4_320;

/** Gives a frame on when it is due; false when no more are wanted. */
export type Deliver = (frame: Frame, dueUs: number) => Promise<boolean>;

/** Decodes one stream, but only while somebody needs its frames. */
export class StreamDecoder {
  readonly context: CodecContext;
  /** FFmpeg's, of the codec. */
  readonly name: string;
  /** Null for sound. */
  readonly pictures: ViewablePictures | null;
  readonly #frame = new Frame();
  readonly #group = new GroupOfPictures();
  #isRunning = false;
  /** Decodes what was left out until now, while new packets come. */
  #catchingUp: Promise<void> | null = null;
  #fault: unknown = null;

  /** With subtitles to be shown in its pictures. Null when FFmpeg has no decoder for the stream or refuses it. */
  static async open(stream: Stream, subtitles: SubtitleTrack | null = null): Promise<StreamDecoder | null> {
    const codec = Codec.findDecoder(stream.codecpar.codecId);
    if (codec === null) return null;
    const context = new CodecContext();
    context.allocContext3(codec);
    context.parametersToContext(stream.codecpar);
    context.pktTimebase = new Rational(1, 1_000_000);
    context.threadCount = 2;
    const options = Dictionary.fromObject({ max_pixels: `${MOST_PIXELS}` });
    if ((await context.open2(codec, options)) >= 0)
      return new StreamDecoder(context, codec.name ?? 'it', stream, subtitles);
    context.freeContext();
    return null;
  }

  private constructor(context: CodecContext, name: string, stream: Stream, subtitles: SubtitleTrack | null) {
    this.context = context;
    this.name = name;
    this.pictures = stream.codecpar.codecType === AVMEDIA_TYPE_VIDEO ? new ViewablePictures(stream, subtitles) : null;
    this.#frame.alloc();
  }

  /** Is each packet decoded as it comes. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /**
   * Takes over the stream's next packet. When frames are needed again, those since the last key
   * frame are decoded beside what goes on, so that a picture is there at once and nothing else waits for it.
   */
  async take(packet: Packet, areFramesNeeded: boolean, deliver: Deliver): Promise<void> {
    if (this.#fault !== null) throw this.#fault;
    const isKept = this.#group.push(packet);
    if (!areFramesNeeded) this.#isRunning = false;
    else if (!this.#isRunning && this.#catchingUp === null) {
      this.context.flushBuffers();
      this.pictures?.reset();
      this.#isRunning = this.#group.packets.length <= 1;
      if (!this.#isRunning) this.#catchingUp = this.#catchUp(deliver);
    }
    if (this.#isRunning) await this.#decode(packet, deliver);
    if (!isKept) packet.free();
  }

  /** A pass through a film is over: what the decoder holds back comes out, and it is ready for the next. */
  async end(deliver: Deliver): Promise<void> {
    await this.#catchingUp;
    if (this.#isRunning) {
      await this.#decode(null, deliver);
      await deliverAll(this.pictures?.end() ?? [], deliver);
    }
    this.context.flushBuffers();
    this.#group.clear();
  }

  /** Waits for what goes on; `deliver` ends it. */
  async settle(): Promise<void> {
    await this.#catchingUp;
  }

  close(): void {
    this.#group.clear();
    this.#frame.free();
    this.pictures?.close();
    this.context.freeContext();
  }

  async #catchUp(deliver: Deliver): Promise<void> {
    try {
      let packets: readonly Packet[] = [];
      let goesOn = true;
      for (let next = 0; goesOn; next++) {
        // A new group has begun: what is left of the old one is not needed any more.
        if (packets !== this.#group.packets) [packets, next] = [this.#group.packets, 0];
        // The packet itself may be freed in the meantime.
        using packet = packets[next]?.clone() ?? null;
        if (packet === null) break;
        goesOn = await this.#decode(packet, deliver);
      }
      this.#isRunning = true;
    } catch (error) {
      this.#fault = error;
    } finally {
      this.#catchingUp = null;
    }
  }

  async #decode(packet: Packet | null, deliver: Deliver): Promise<boolean> {
    // A damaged packet is refused here; the picture recovers with the next key frame.
    await this.context.sendPacket(packet);
    let goesOn = true;
    // All the work is done with sending; a frame is only handed over.
    while (goesOn && this.context.receiveFrameSync(this.#frame) >= 0) {
      const dueUs = Number(this.#frame.bestEffortTimestamp);
      if (this.pictures === null) goesOn = await deliver(this.#frame, dueUs);
      else goesOn = await deliverAll(this.pictures.take(this.#frame, dueUs), deliver);
      this.#frame.unref();
    }
    return goesOn;
  }
}

/** Frees each, given on or not. */
async function deliverAll(pictures: readonly Picture[], deliver: Deliver): Promise<boolean> {
  let goesOn = true;
  for (const { frame, ptsUs } of pictures) {
    goesOn &&= await deliver(frame, ptsUs);
    frame.free();
  }
  return goesOn;
}
