import { AV_CHANNEL_LAYOUT_STEREO, AV_SAMPLE_FMT_S16 } from 'node-av/constants';
import { Frame } from 'node-av/lib';
import { pictureFrame } from '../picture/index.ts';
import type { SourceInfo } from '../wire.ts';
import { sleepUntil } from './pace.ts';
import type { Source, SourceOptions, SourceSink } from './source.ts';
import { MARK_MS, TESTCARD, TestcardPicture } from './testcard-picture.ts';

const SAMPLE_RATE_HZ = 48_000;
const CHANNELS = 2;
const BEEP_HZ = 1_000;
const BEEP_AMPLITUDE = 8_000;
const AUDIO_FRAME_MS = 20;
/** Beyond this, late sound is of no use to anybody. */
const PATIENCE_US = 500_000;
const SAMPLES = (SAMPLE_RATE_HZ * AUDIO_FRAME_MS) / 1000;

/**
 * A picture and a sound that tell the time, for trying and measuring: frame n is made and due at n / 30 s since 1970,
 * so that pictures and beeps fall on whole seconds and need no common start.
 */
export class TestcardSource implements Source {
  readonly live = true;
  readonly #nowUs: () => number;

  constructor({ nowUs }: SourceOptions) {
    this.#nowUs = nowUs;
  }

  async open(): Promise<SourceInfo> {
    return { video: TESTCARD, audio: { sampleRateHz: SAMPLE_RATE_HZ, channels: CHANNELS } };
  }

  async play(sink: SourceSink, signal: AbortSignal): Promise<void> {
    const picture = new TestcardPicture();
    const beep = audioFrame(sample => BEEP_AMPLITUDE * Math.sin((2 * Math.PI * BEEP_HZ * sample) / SAMPLE_RATE_HZ));
    const silence = audioFrame(() => 0);
    await Promise.all([
      // Microseconds of a 30 fps frame are no whole number; counting frames keeps them from drifting.
      this.#every(1_000_000 / TESTCARD.frameRate, 0, signal, dueUs => {
        const unixMs = Math.floor(dueUs / 1000);
        using frame = pictureFrame(picture.draw(unixMs));
        sink.video(frame, unixMs * 1000);
      }),
      // A picture can be left out; a hole in the sound is heard, and filling it costs next to nothing.
      this.#every(AUDIO_FRAME_MS * 1000, PATIENCE_US, signal, dueUs => {
        sink.audio((dueUs / 1000) % 1000 < MARK_MS ? beep : silence, dueUs);
      }),
    ]);
    beep.free();
    silence.free();
  }

  async close(): Promise<void> {}

  /** Calls back at each multiple of the period, leaving out those that were missed by more than the patience. */
  async #every(
    periodUs: number,
    patienceUs: number,
    signal: AbortSignal,
    make: (dueUs: number) => void,
  ): Promise<void> {
    let count = Math.ceil(this.#nowUs() / periodUs);
    while (await sleepUntil(count * periodUs, this.#nowUs, signal)) {
      make(Math.round(count * periodUs));
      count = Math.max(count + 1, Math.floor((this.#nowUs() - patienceUs) / periodUs));
    }
  }
}

/** 20 ms of a whole number of periods of any wave of 50 Hz multiples, so frames follow each other without a click. */
function audioFrame(wave: (sample: number) => number): Frame {
  const samples = new Int16Array(SAMPLES * CHANNELS);
  for (let sample = 0; sample < SAMPLES; sample++)
    samples.fill(wave(sample), sample * CHANNELS, (sample + 1) * CHANNELS);
  return Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
    nbSamples: SAMPLES,
    format: AV_SAMPLE_FMT_S16,
    sampleRate: SAMPLE_RATE_HZ,
    channelLayout: AV_CHANNEL_LAYOUT_STEREO,
  });
}
