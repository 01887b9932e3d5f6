import { AV_PIX_FMT_YUVJ420P } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, type Frame, Packet, Rational } from 'node-av/lib';
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

/** Passes everything on, and makes a small JPEG of a picture now and then: a few milliseconds of work each. */
export class Thumbnails implements SourceSink {
  readonly #sink: SourceSink;
  readonly #onThumbnail: (jpeg: Uint8Array) => void;
  readonly #nowUs: () => number;
  #nextUs: number | null = null;

  /** `nowUs`: Unix time in microseconds. */
  constructor(sink: SourceSink, onThumbnail: (jpeg: Uint8Array) => void, nowUs: () => number) {
    this.#sink = sink;
    this.#nowUs = nowUs;
    this.#onThumbnail = onThumbnail;
  }

  video(frame: Frame, ptsUs: number): void {
    this.#sink.video(frame, ptsUs);
    this.#nextUs ??= ptsUs + FIRST_AFTER_US;
    if (ptsUs < this.#nextUs) return;
    this.#nextUs = ptsUs + INTERVAL_US;
    const jpeg = thumbnail(frame);
    if (jpeg !== null) this.#onThumbnail(jpeg);
  }

  audio(frame: Frame, ptsUs: number): void {
    this.#sink.audio(frame, ptsUs);
  }

  /** One picture, now and then, for the thumbnail. */
  needsFrames(medium: Medium): boolean {
    if (medium === 'video') this.#nextUs ??= this.#nowUs() + FIRST_AFTER_US;
    return this.#sink.needsFrames(medium) || (medium === 'video' && this.#nowUs() >= this.#nextUs!);
  }

  passes(medium: Medium, make: PassThrough | null): void {
    this.#sink.passes(medium, make);
  }

  packet(medium: Medium, packet: EncodedFrame): void {
    this.#sink.packet(medium, packet);
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
