import type { Frame } from 'node-av/lib';
import { AUDIO_FRAME_MS, type AudioFormat } from './audio-encoder.ts';
import { FilterChain } from './filter-chain.ts';

/** Where the sound's own count of samples and the frames' times differ by more, the count starts anew. */
const RESYNC_US = 40_000;

/** Brings sound to an encoder's rate and channels, in frames of 20 ms whose times follow each other exactly. */
export class SoundFilter {
  readonly #chain: FilterChain;
  /** Unix time at which the chain's sample 0 is due. */
  #originUs: number | null = null;
  #samplesIn = 0;

  constructor(format: AudioFormat) {
    const { sampleRateHz, channels } = format;
    this.#chain = new FilterChain('audio', [
      ['aresample', `${sampleRateHz}`],
      ['aformat', `sample_fmts=s16:channel_layouts=${channels === 1 ? 'mono' : 'stereo'}`],
      ['asetnsamples', `n=${(sampleRateHz * AUDIO_FRAME_MS) / 1000}:p=0`],
    ]);
  }

  push(frame: Frame, ptsUs: number, onFrame: (frame: Frame, ptsUs: number) => void): void {
    const { sampleRate } = frame;
    const layout =
      frame.channelLayout.mask === 0n ? `${frame.channels}c` : `0x${frame.channelLayout.mask.toString(16)}`;
    const expectedUs = (this.#originUs ?? 0) + (this.#samplesIn / sampleRate) * 1_000_000;
    if (this.#originUs === null || Math.abs(ptsUs - expectedUs) > RESYNC_US) {
      this.#originUs = ptsUs - Math.round((this.#samplesIn / sampleRate) * 1_000_000);
    }
    const originUs = this.#originUs;
    using counted = frame.clone()!;
    counted.pts = BigInt(this.#samplesIn);
    this.#samplesIn += frame.nbSamples;
    const description = `time_base=1/${sampleRate}:sample_rate=${sampleRate}:sample_fmt=${frame.format}:channel_layout=${layout}`;
    this.#chain.push(counted, description, (filtered, timeBaseSeconds) => {
      onFrame(filtered, originUs + Math.round(Number(filtered.pts) * timeBaseSeconds * 1_000_000));
    });
  }

  close(): void {
    this.#chain.close();
  }
}
