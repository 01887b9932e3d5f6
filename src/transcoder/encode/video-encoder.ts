import { AV_PICTURE_TYPE_I, AV_PICTURE_TYPE_NONE, AV_PIX_FMT_VAAPI } from 'node-av/constants';
import { Codec, CodecContext, Dictionary, FFmpegError, type Frame, Packet, Rational } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import type { Effort, HardwareKind, VideoRendition } from '../wire.ts';
import type { LoadWatch } from './load-watch.ts';
import { Surfaces } from './surfaces.ts';
import { videoCodecFor } from './video-codecs.ts';

/** Pictures that wait for the encoder; more would only add delay. */
const QUEUE_FRAMES = 2;

/** Without anybody joining or losing packets; a join asks for a key frame of its own. */
export const KEY_FRAME_INTERVAL_SECONDS = 10;

/** Hardware that has taken pictures and gives nothing for so long will not any more. */
const STUCK_US = 2_000_000;

/** In microseconds, as pictures are; the encoders count from their first picture on. */
const TIME_BASE = new Rational(1, 1_000_000);

export interface VideoEncoderOptions {
  readonly effort: Effort;
  /** What to encode with where the codec allows it; null for software. */
  readonly hardware: HardwareKind | null;
  /** Unix time in microseconds. */
  readonly nowUs: () => number;
  /** Hears of each picture. */
  readonly load: Pick<LoadWatch, 'encoded' | 'leftOut'>;
  readonly onFrame: (frame: EncodedFrame) => void;
  /** Hardware does not go on; nothing more comes. */
  readonly onFailed: (reason: string) => void;
}

/** One video rendition's encoder. Pictures go in when they are due, access units come out in the same order. */
export class VideoEncoder {
  framesEncoded = 0;
  keyFrames = 0;
  framesDropped = 0;
  /** FFmpeg's name of it. */
  readonly name: string;
  readonly #context: CodecContext;
  /** Null for software. */
  readonly #surfaces: Surfaces | null;
  readonly #options: VideoEncoderOptions;
  readonly #queue: { frame: Frame; ptsUs: number }[] = [];
  #firstUs: number | null = null;
  #lastUs = Number.NEGATIVE_INFINITY;
  /** Of the latest picture that came out. */
  #doneUs: number | null = null;
  #keyFrameWanted = true;
  #running: Promise<void> | null = null;
  #closed = false;

  /** Rejects when FFmpeg refuses the rendition, or there is no such hardware. */
  static async open(rendition: VideoRendition, options: VideoEncoderOptions): Promise<VideoEncoder> {
    const wanted = videoCodecFor(rendition, options.hardware);
    const codec = Codec.findEncoderByName(wanted.name as Parameters<typeof Codec.findEncoderByName>[0]);
    const isHardware = wanted !== videoCodecFor(rendition, null);
    const surfaces = isHardware ? new Surfaces(wanted, rendition) : null;
    const context = new CodecContext();
    context.allocContext3(codec);
    context.width = rendition.width;
    context.height = rendition.height;
    context.pixelFormat = wanted.pixelFormat;
    if (surfaces?.frames) {
      context.pixelFormat = AV_PIX_FMT_VAAPI;
      context.hwFramesCtx = surfaces.frames;
    }
    context.timeBase = TIME_BASE;
    context.framerate = new Rational(Math.round(rendition.frameRate * 1000), 1000);
    context.bitRate = BigInt(rendition.bitrateBps);
    // All three alike is what FFmpeg takes for a constant rate.
    context.rcMinRate = BigInt(rendition.bitrateBps);
    context.rcMaxRate = BigInt(rendition.bitrateBps);
    context.rcBufferSize = rendition.bitrateBps;
    context.gopSize = Math.round(rendition.frameRate * KEY_FRAME_INTERVAL_SECONDS);
    context.maxBFrames = 0;
    context.threadCount = 1;
    const result = await context.open2(codec, Dictionary.fromObject(wanted.options(rendition, options.effort)));
    if (result < 0) {
      context.freeContext();
      surfaces?.close();
      throw new Error(`opening ${wanted.name}: ${FFmpegError.strerror(result)}`);
    }
    return new VideoEncoder(wanted.name, context, surfaces, options);
  }

  private constructor(name: string, context: CodecContext, surfaces: Surfaces | null, options: VideoEncoderOptions) {
    this.name = name;
    this.#context = context;
    this.#surfaces = surfaces;
    this.#options = options;
  }

  /** The next picture becomes a key frame. */
  requestKeyFrame(): void {
    this.#keyFrameWanted = true;
  }

  /** Takes a picture of the rendition's size in YUV 4:2:0; leaves it out when the encoder is behind. */
  push(frame: Frame, ptsUs: number): void {
    if (this.#closed || ptsUs <= this.#lastUs) return;
    const copy = this.#queue.length < QUEUE_FRAMES ? frame.clone() : null;
    if (copy === null) {
      this.#leaveOut();
      this.#doneUs ??= ptsUs;
      if (this.#surfaces !== null && ptsUs - this.#doneUs > STUCK_US) this.#fail('no pictures come of it');
      return;
    }
    this.#lastUs = ptsUs;
    this.#queue.push({ frame: copy, ptsUs });
    this.#running ??= this.#run();
  }

  /** Resolves when every picture that it took is encoded. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Resolves when nothing of the encoder is left. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#context.freeContext();
    this.#surfaces?.close();
  }

  /** Encodes on FFmpeg's own thread, so that sound is not kept waiting. */
  async #run(): Promise<void> {
    using packet = new Packet();
    packet.alloc();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      using frame = next.frame;
      if (!this.#closed) await this.#encode(frame, next.ptsUs, packet);
    }
    this.#running = null;
  }

  async #encode(picture: Frame, ptsUs: number, packet: Packet): Promise<void> {
    using surface = (await this.#surfaces?.take(picture)) ?? null;
    if (this.#surfaces !== null && surface === null) return this.#fail('it takes no pictures');
    const frame = surface ?? picture;
    this.#firstUs ??= ptsUs;
    frame.pts = BigInt(ptsUs - this.#firstUs);
    frame.timeBase = TIME_BASE;
    frame.pictType = this.#keyFrameWanted ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    this.#keyFrameWanted = false;
    const sent = await this.#context.sendFrame(frame);
    if (sent < 0) {
      if (this.#surfaces !== null) this.#fail(FFmpegError.strerror(sent));
      return this.#leaveOut();
    }
    const before = this.framesEncoded;
    // All the work is done with sending; a packet is only handed over.
    while (this.#context.receivePacketSync(packet) >= 0) {
      const dueUs = Number(packet.pts) + this.#firstUs;
      this.framesEncoded++;
      this.#doneUs = dueUs;
      if (packet.isKeyframe) this.keyFrames++;
      this.#options.load.encoded(this.#options.nowUs() - dueUs);
      // A copy: the packet's own memory goes back to the encoder.
      const data = Uint8Array.from(packet.data!);
      this.#options.onFrame({ keyFrame: packet.isKeyframe, ptsUs: dueUs, data });
      packet.unref();
    }
    if (this.framesEncoded > before) return;
    // Left out by the encoder itself, to hold the rate.
    this.framesDropped++;
    this.#keyFrameWanted ||= frame.pictType === AV_PICTURE_TYPE_I;
  }

  #leaveOut(): void {
    this.framesDropped++;
    this.#options.load.leftOut();
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onFailed(`${this.name}: ${reason}`);
  }
}
