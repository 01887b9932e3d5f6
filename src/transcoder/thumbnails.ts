import { AV_PIX_FMT_YUVJ420P } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, type Frame, Packet, Rational } from 'node-av/lib';
import { decodeKeyFrame } from './decode-key-frame.ts';
import type { EncodedFrame } from './encoded-frame.ts';
import { FilterChain } from './filter-chain.ts';
import type { Medium, SourceSink } from './source/index.ts';
import type { PassThrough } from './wire.ts';

const INTERVAL_US = 10_000_000;
/** Many channels begin with a black picture. */
const FIRST_AFTER_US = 1_000_000;
const WIDTH = 320;
/** Of a picture that stands upright. */
const MOST_HEIGHT = 568;

/**
 * Passes everything on, and makes a small JPEG of a picture now and then: a few milliseconds of work each. Where packets
 * are passed through it is a key frame's, which needs none before it to be decoded.
 */
export class Thumbnails implements SourceSink {
  readonly #sink: SourceSink;
  readonly #onThumbnail: (jpeg: Uint8Array) => void;
  readonly #nowUs: () => number;
  #nextUs: number | null = null;
  /** Of the pictures that come as packets; null while none do. */
  #codec: 'h264' | 'vp8' | null = null;

  /** `nowUs`: Unix time in microseconds. */
  constructor(sink: SourceSink, onThumbnail: (jpeg: Uint8Array) => void, nowUs: () => number) {
    this.#sink = sink;
    this.#nowUs = nowUs;
    this.#onThumbnail = onThumbnail;
  }

  video(frame: Frame, ptsUs: number): void {
    this.#sink.video(frame, ptsUs);
    if (this.#isDue(ptsUs)) this.#make(frame);
  }

  audio(frame: Frame, ptsUs: number): void {
    this.#sink.audio(frame, ptsUs);
  }

  late(): void {
    this.#sink.late();
  }

  /** One picture, now and then, for the thumbnail. */
  needsFrames(medium: Medium): boolean {
    if (medium === 'video') this.#nextUs ??= this.#nowUs() + FIRST_AFTER_US;
    if (this.#sink.needsFrames(medium)) return true;
    return medium === 'video' && this.#codec === null && this.#nowUs() >= this.#nextUs!;
  }

  passes(medium: Medium, make: PassThrough | null): void {
    if (medium === 'video') this.#codec = make?.codec === 'h264' || make?.codec === 'vp8' ? make.codec : null;
    this.#sink.passes(medium, make);
  }

  packet(medium: Medium, packet: EncodedFrame): void {
    this.#sink.packet(medium, packet);
    const codec = this.#codec;
    if (medium === 'video' && packet.keyFrame && codec !== null && this.#isDue(packet.ptsUs)) {
      void this.#decode(codec, packet.data);
    }
  }

  #isDue(ptsUs: number): boolean {
    this.#nextUs ??= ptsUs + FIRST_AFTER_US;
    if (ptsUs < this.#nextUs) return false;
    this.#nextUs = ptsUs + INTERVAL_US;
    return true;
  }

  async #decode(codec: 'h264' | 'vp8', data: Uint8Array): Promise<void> {
    using frame = await decodeKeyFrame(codec, data);
    if (frame !== null) this.#make(frame);
  }

  #make(frame: Frame): void {
    const jpeg = thumbnail(frame);
    if (jpeg !== null) this.#onThumbnail(jpeg);
  }
}

/** Null when FFmpeg refuses the picture: the channel is worth more than its thumbnail. */
export function thumbnail(frame: Frame): Uint8Array | null {
  const { num, den } = frame.sampleAspectRatio;
  const aspect = num > 0 ? num / den : 1;
  const height = 2 * Math.round((WIDTH * frame.height) / (frame.width * aspect) / 2);
  const chain = new FilterChain('video', [
    ['scale', `w=${WIDTH}:h=${Math.min(Math.max(height, 2), MOST_HEIGHT)}:flags=area:out_range=pc`],
    ['setsar', 'sar=1'],
    ['format', 'pix_fmts=yuvj420p'],
  ]);
  let jpeg: Uint8Array | null = null;
  try {
    const description = `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/1000000`;
    chain.push(frame, description, small => {
      jpeg = encodeJpeg(small);
    });
  } catch {
    return null;
  } finally {
    chain.close();
  }
  return jpeg;
}

function encodeJpeg(frame: Frame): Uint8Array | null {
  const encoder = Codec.findEncoderByName('mjpeg' as Parameters<typeof Codec.findEncoderByName>[0]);
  const context = new CodecContext();
  context.allocContext3(encoder);
  context.width = frame.width;
  context.height = frame.height;
  context.pixelFormat = AV_PIX_FMT_YUVJ420P;
  context.timeBase = new Rational(1, 1);
  context.threadCount = 1;
  using packet = new Packet();
  packet.alloc();
  try {
    FFmpegError.throwIfError(context.open2Sync(encoder, null), 'opening mjpeg');
    if (context.sendFrameSync(frame) < 0 || context.receivePacketSync(packet) < 0) return null;
    return Uint8Array.from(packet.data!);
  } finally {
    context.freeContext();
  }
}
