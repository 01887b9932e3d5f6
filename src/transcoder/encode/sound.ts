import type { Frame } from 'node-av/lib';
import { FilterChain } from '../filter-chain.ts';
import { AUDIO_FRAME_MS, type AudioFormat } from './audio-encoder.ts';

/** A hole longer than this, or a step back, is not bridged: the sound begins anew. */
const GAP_US = 500_000;
/** How many samples a second may be added or left out unheard, to follow a source whose clock is not ours. */
const STRETCH = 1_000;

/**
 * Brings sound to an encoder's rate and channels, in frames of 20 ms whose times follow each other exactly. Where the
 * times of what comes in say something else than its samples, it is stretched, and short holes become silence.
 */
export class SoundFilter {
  readonly #chain: FilterChain;
  readonly #gridUs: number;
  /** Unix time at which the chain's time 0 is due. */
  #originUs: number | null = null;
  /** Of the frames that come in. */
  #description = '';
  #endUs = 0;

  /** Times are multiples of `gridUs` from 0, whenever the sound begins; with 0 they count from where it begins. */
  constructor(format: AudioFormat, gridUs = 0) {
    const { sampleRateHz, channels } = format;
    this.#gridUs = gridUs;
    this.#chain = new FilterChain('audio', [
      ['aresample', `${sampleRateHz}:async=${STRETCH}:first_pts=0`],
      ['aformat', `sample_fmts=s16:channel_layouts=${channels === 1 ? 'mono' : 'stereo'}`],
      ['asetnsamples', `n=${(sampleRateHz * AUDIO_FRAME_MS) / 1000}:p=0`],
    ]);
  }

  push(frame: Frame, ptsUs: number, onFrame: (frame: Frame, ptsUs: number) => void): void {
    const { sampleRate } = frame;
    const layout =
      frame.channelLayout.mask === 0n ? `${frame.channels}c` : `0x${frame.channelLayout.mask.toString(16)}`;
    const description = `time_base=1/1000000:sample_rate=${sampleRate}:sample_fmt=${frame.format}:channel_layout=${layout}`;
    // Filters for sound of another form know nothing of what was before, and would fill all of it with silence.
    const isOther = description !== this.#description;
    if (this.#originUs === null || isOther || Math.abs(ptsUs - this.#endUs) > GAP_US) {
      this.#chain.reset();
      this.#description = description;
      // What lies between the two becomes silence.
      this.#originUs = this.#gridUs === 0 ? ptsUs : Math.floor(ptsUs / this.#gridUs) * this.#gridUs;
    }
    const originUs = this.#originUs;
    this.#endUs = ptsUs + (frame.nbSamples / sampleRate) * 1_000_000;
    using timed = frame.clone()!;
    timed.pts = BigInt(ptsUs - originUs);
    this.#chain.push(timed, description, (filtered, timeBaseSeconds) => {
      onFrame(filtered, originUs + Math.round(Number(filtered.pts) * timeBaseSeconds * 1_000_000));
    });
  }

  close(): void {
    this.#chain.close();
  }
}
