import { AV_CHANNEL_LAYOUT_MONO, AV_CHANNEL_LAYOUT_STEREO, AV_SAMPLE_FMT_S16 } from 'node-av/constants';
import { Codec, CodecContext, Dictionary, FFmpegError, type Frame, Packet, Rational } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import type { AudioRendition } from '../wire.ts';

/** What an audio encoder takes: signed 16-bit samples in frames of 20 ms. */
export interface AudioFormat {
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
}

/** RFC 7587 has Opus run at 48 kHz whatever it carries; G.711 is 8 kHz mono. */
export const AUDIO_FORMATS: Readonly<Record<AudioRendition['codec'], AudioFormat>> = {
  opus: { sampleRateHz: 48_000, channels: 2 },
  pcma: { sampleRateHz: 8_000, channels: 1 },
  pcmu: { sampleRateHz: 8_000, channels: 1 },
};

export const AUDIO_FRAME_MS = 20;

const ENCODERS = {
  opus: {
    name: 'libopus',
    bitrateBps: 96_000,
    options: { application: 'audio', frame_duration: AUDIO_FRAME_MS, vbr: 'on' },
  },
  pcma: { name: 'pcm_alaw', bitrateBps: 64_000, options: {} },
  pcmu: { name: 'pcm_mulaw', bitrateBps: 64_000, options: {} },
} as const;

/** One audio rendition's encoder. It takes well under a millisecond a frame, so it runs at once. */
export class AudioEncoder {
  framesEncoded = 0;
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  readonly #onFrame: (frame: EncodedFrame) => void;

  /** Rejects when FFmpeg refuses the rendition. */
  static async open({ codec }: AudioRendition, onFrame: (frame: EncodedFrame) => void): Promise<AudioEncoder> {
    const { name, bitrateBps, options } = ENCODERS[codec];
    const { sampleRateHz, channels } = AUDIO_FORMATS[codec];
    const encoder = Codec.findEncoderByName(name as Parameters<typeof Codec.findEncoderByName>[0]);
    const context = new CodecContext();
    context.allocContext3(encoder);
    context.sampleRate = sampleRateHz;
    context.sampleFormat = AV_SAMPLE_FMT_S16;
    context.channelLayout = channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
    context.timeBase = new Rational(1, sampleRateHz);
    context.bitRate = BigInt(bitrateBps);
    FFmpegError.throwIfError(await context.open2(encoder, Dictionary.fromObject(options)), `opening ${name}`);
    return new AudioEncoder(context, onFrame);
  }

  private constructor(context: CodecContext, onFrame: (frame: EncodedFrame) => void) {
    this.#context = context;
    this.#onFrame = onFrame;
    this.#packet.alloc();
  }

  /** Takes 20 ms in the codec's {@link AUDIO_FORMATS | format}. */
  push(frame: Frame, ptsUs: number): void {
    if (this.#context.sendFrameSync(frame) < 0) return;
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      this.framesEncoded++;
      // One frame in, one packet out: Opus' look-ahead shifts the sound inside, not the packets.
      this.#onFrame({ keyFrame: true, ptsUs, data: Uint8Array.from(this.#packet.data!) });
      this.#packet.unref();
    }
  }

  async close(): Promise<void> {
    this.#packet.free();
    this.#context.freeContext();
  }
}
