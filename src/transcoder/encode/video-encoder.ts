import { AV_PICTURE_TYPE_I, AV_PICTURE_TYPE_NONE, AV_PIX_FMT_YUV420P } from 'node-av/constants';
import { Codec, CodecContext, Dictionary, FFmpegError, type Frame, Packet, Rational } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import type { VideoRendition } from '../wire.ts';

/** Pictures that wait for the encoder; more would only add delay. */
const QUEUE_FRAMES = 2;

/** Without anybody joining or losing packets; a join asks for a key frame of its own. */
export const KEY_FRAME_INTERVAL_SECONDS = 10;

/** Leaves room in 1200 bytes for the RTP header, the authentication tag and the start code. */
const SLICE_BYTES = 1100;

/** In microseconds, as pictures are; the encoders count from their first picture on. */
const TIME_BASE = new Rational(1, 1_000_000);

/** FFmpeg's encoders and their options. */
export const ENCODERS = {
  h264: {
    name: 'libx264',
    options: ({ packetizationMode, bitrateBps }: VideoRendition) => ({
      preset: 'superfast',
      tune: 'zerolatency',
      profile: 'baseline',
      'forced-idr': 1,
      'x264-params': [
        'repeat-headers=1',
        'aud=0',
        'annexb=1',
        'scenecut=0',
        'bframes=0',
        // One slice a picture, so that it can be cut into equal packets; slices that fit one each for mode 0.
        packetizationMode === 0 ? `slice-max-size=${SLICE_BYTES}` : 'slices=1',
        'sliced-threads=0',
        `vbv-maxrate=${Math.round(bitrateBps / 1000)}`,
        `vbv-bufsize=${Math.round(bitrateBps / 1000)}`,
      ].join(':'),
    }),
  },
  vp8: {
    name: 'libvpx',
    options: () => ({
      deadline: 'realtime',
      'cpu-used': 8,
      'error-resilient': 'default',
      'lag-in-frames': 0,
      'auto-alt-ref': 0,
      'max-intra-rate': 450,
    }),
  },
} as const;

/** One video rendition's encoder. Pictures go in when they are due, access units come out in the same order. */
export class VideoEncoder {
  framesEncoded = 0;
  keyFrames = 0;
  framesDropped = 0;
  readonly #context: CodecContext;
  readonly #onFrame: (frame: EncodedFrame) => void;
  readonly #queue: { frame: Frame; ptsUs: number }[] = [];
  #firstUs: number | null = null;
  #lastUs = Number.NEGATIVE_INFINITY;
  #keyFrameWanted = true;
  #running: Promise<void> | null = null;
  #closed = false;

  /** Rejects when FFmpeg refuses the rendition. */
  static async open(rendition: VideoRendition, onFrame: (frame: EncodedFrame) => void): Promise<VideoEncoder> {
    const { name, options } = ENCODERS[rendition.codec];
    const codec = Codec.findEncoderByName(name as Parameters<typeof Codec.findEncoderByName>[0]);
    const context = new CodecContext();
    context.allocContext3(codec);
    context.width = rendition.width;
    context.height = rendition.height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = TIME_BASE;
    context.framerate = new Rational(Math.round(rendition.frameRate * 1000), 1000);
    context.bitRate = BigInt(rendition.bitrateBps);
    context.rcMaxRate = BigInt(rendition.bitrateBps);
    context.rcBufferSize = rendition.bitrateBps;
    context.gopSize = Math.round(rendition.frameRate * KEY_FRAME_INTERVAL_SECONDS);
    context.maxBFrames = 0;
    context.threadCount = 1;
    const result = await context.open2(codec, Dictionary.fromObject(options(rendition)));
    FFmpegError.throwIfError(result, `opening ${name}`);
    return new VideoEncoder(context, onFrame);
  }

  private constructor(context: CodecContext, onFrame: (frame: EncodedFrame) => void) {
    this.#context = context;
    this.#onFrame = onFrame;
  }

  /** The next picture becomes a key frame. */
  requestKeyFrame(): void {
    this.#keyFrameWanted = true;
  }

  /** Takes a picture of the rendition's size in YUV 4:2:0; leaves it out when the encoder is behind. */
  push(frame: Frame, ptsUs: number): void {
    if (this.#closed) return;
    const copy = this.#queue.length < QUEUE_FRAMES && ptsUs > this.#lastUs ? frame.clone() : null;
    if (copy === null) {
      this.framesDropped++;
      return;
    }
    this.#lastUs = ptsUs;
    this.#queue.push({ frame: copy, ptsUs });
    this.#running ??= this.#run();
  }

  /** Resolves when nothing of the encoder is left. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#context.freeContext();
  }

  /** Encodes on FFmpeg's own thread, so that sound is not kept waiting. */
  async #run(): Promise<void> {
    using packet = new Packet();
    packet.alloc();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { frame, ptsUs } = next;
      if (!this.#closed) await this.#encode(frame, ptsUs, packet);
      frame.free();
    }
    this.#running = null;
  }

  async #encode(frame: Frame, ptsUs: number, packet: Packet): Promise<void> {
    this.#firstUs ??= ptsUs;
    frame.pts = BigInt(ptsUs - this.#firstUs);
    frame.timeBase = TIME_BASE;
    frame.pictType = this.#keyFrameWanted ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    this.#keyFrameWanted = false;
    if ((await this.#context.sendFrame(frame)) < 0) {
      this.framesDropped++;
      return;
    }
    while ((await this.#context.receivePacket(packet)) >= 0) {
      this.framesEncoded++;
      if (packet.isKeyframe) this.keyFrames++;
      // A copy: the packet's own memory goes back to the encoder.
      const data = Uint8Array.from(packet.data!);
      this.#onFrame({ keyFrame: packet.isKeyframe, ptsUs: Number(packet.pts) + this.#firstUs, data });
      packet.unref();
    }
  }
}
