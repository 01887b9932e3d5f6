import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AV_CHANNEL_LAYOUT_5POINT1,
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_S16,
} from 'node-av/constants';
import { Frame } from 'node-av/lib';
import { SoundFilter } from './sound.ts';

const FORMAT = { sampleRateHz: 48_000, channels: 2 } as const;
const FRAME_US = 20_000;
const START_US = 1_700_000_000_000_000;

/** A tone of 1 kHz in frames of 20 ms at 44.1 kHz, each at the time that is given for it; what comes of it. */
function filtered(times: readonly number[]): { ptsUs: number[]; loudness: number[] } {
  const filter = new SoundFilter(FORMAT);
  const ptsUs: number[] = [];
  const loudness: number[] = [];
  let sample = 0;
  for (const timeUs of times) {
    const samples = new Int16Array(882 * 2);
    for (let at = 0; at < 882; at++) {
      samples.fill(8_000 * Math.sin((2 * Math.PI * 1_000 * sample++) / 44_100), 2 * at, 2 * at + 2);
    }
    using frame = Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
      nbSamples: 882,
      format: AV_SAMPLE_FMT_S16,
      sampleRate: 44_100,
      channelLayout: AV_CHANNEL_LAYOUT_STEREO,
    });
    filter.push(frame, START_US + timeUs, (out, outUs) => {
      assert.deepEqual([out.nbSamples, out.sampleRate, out.channels], [960, 48_000, 2]);
      ptsUs.push(outUs - START_US);
      const [plane] = out.data!;
      const values = new Int16Array(plane!.buffer, plane!.byteOffset, 1_920);
      loudness.push(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
    });
  }
  filter.close();
  return { ptsUs, loudness };
}

/** Steps between times that are not 20 ms, but for a rounded microsecond. */
const uneven = (ptsUs: readonly number[]) =>
  ptsUs.slice(1).filter((timeUs, index) => Math.abs(timeUs - ptsUs[index]! - FRAME_US) > 1);
const every = (periodUs: number, count: number) => Array.from({ length: count }, (_, index) => index * periodUs);

describe('sound of more channels', () => {
  /** The loudest of left and right that comes of constant samples in six channels, or as many as are given. */
  function mixed(samples: readonly number[], channelLayout = AV_CHANNEL_LAYOUT_5POINT1): number[] {
    const filter = new SoundFilter(FORMAT);
    const loudest = [0, 0];
    const values = Float32Array.from({ length: 960 * samples.length }, (_, index) => samples[index % samples.length]!);
    for (let index = 0; index < 10; index++) {
      using frame = Frame.fromAudioBuffer(Buffer.from(values.buffer), {
        nbSamples: 960,
        format: AV_SAMPLE_FMT_FLT,
        sampleRate: 48_000,
        channelLayout,
      });
      filter.push(frame, START_US + index * FRAME_US, out => {
        const [plane] = out.data!;
        const both = new Int16Array(plane!.buffer, plane!.byteOffset, 1_920);
        for (const [at, value] of both.entries())
          loudest[at % 2] = Math.max(loudest[at % 2]!, Math.abs(value) / 32_768);
      });
    }
    filter.close();
    return loudest.map(value => Math.round(value * 100) / 100);
  }

  // ITU-R BS.775: centre and surround at -3 dB, and all of it so much quieter that nothing can be too loud.
  for (const [name, samples, expected] of [
    ['has its front left on the left', [1, 0, 0, 0, 0, 0], [0.41, 0]],
    ['has its centre on both sides', [0, 0, 1, 0, 0, 0], [0.29, 0.29]],
    ['has none of its effects', [0, 0, 0, 1, 0, 0], [0, 0]],
    ['has its surround right on the right', [0, 0, 0, 0, 0, 1], [0, 0.29]],
    ['is never too loud', [1, 1, 1, 1, 1, 1], [1, 1]],
  ] as const) {
    it(name, () => assert.deepEqual(mixed(samples), expected));
  }

  it('or of one goes to both sides', () => {
    const [left, right] = mixed([0.5], AV_CHANNEL_LAYOUT_MONO);
    assert.ok(left === right && left! > 0.3, `${left}, ${right}`);
  });
});

describe('sound', () => {
  for (const [name, pace] of [
    ['that is right', 1],
    ['of a clock that is 1000 parts in a million slow', 1.001],
    ['of a clock that is 1000 parts in a million fast', 0.999],
  ] as const) {
    it(`${name} comes in even frames without holes, and stays with its source's time`, () => {
      const { ptsUs, loudness } = filtered(every(FRAME_US * pace, 3_000));
      assert.deepEqual(uneven(ptsUs), []);
      const behindUs = 3_000 * FRAME_US * pace - ptsUs.at(-1)!;
      assert.ok(behindUs > 0 && behindUs < 3 * FRAME_US, `${behindUs} µs`);
      assert.ok(loudness.slice(1).every(most => most > 7_000 && most < 9_000));
    });
  }

  it('with a short hole has silence in it', () => {
    const { ptsUs, loudness } = filtered([...every(FRAME_US, 50), ...every(FRAME_US, 50).map(us => us + 1_300_000)]);
    assert.deepEqual(uneven(ptsUs), []);
    const silent = loudness.filter(most => most < 100).length;
    assert.ok(silent >= 13 && silent <= 15, `${silent} frames`);
  });

  it('that unevenly timed packets bring is not touched', () => {
    const { ptsUs, loudness } = filtered(every(FRAME_US, 100).map((us, index) => us + ((index * 7) % 5) * 1_000));
    assert.deepEqual(uneven(ptsUs), []);
    assert.ok(loudness.slice(1).every(most => most > 7_000));
  });

  it('of which all at once there are more channels goes on without a hole', () => {
    const filter = new SoundFilter(FORMAT);
    const times: number[] = [];
    for (let index = 0; index < 300; index++) {
      const channelLayout = index < 200 ? AV_CHANNEL_LAYOUT_STEREO : AV_CHANNEL_LAYOUT_5POINT1;
      using frame = Frame.fromAudioBuffer(Buffer.alloc(960 * 2 * channelLayout.nbChannels), {
        nbSamples: 960,
        format: AV_SAMPLE_FMT_S16,
        sampleRate: 48_000,
        channelLayout,
      });
      filter.push(frame, START_US + index * FRAME_US, (_, outUs) => times.push(outUs - START_US));
    }
    filter.close();
    assert.deepEqual(times, every(FRAME_US, 300));
  });

  it('after a long hole, or a step back, begins anew', () => {
    for (const jumpUs of [10_000_000, -10_000_000]) {
      const { ptsUs } = filtered([...every(FRAME_US, 10), ...every(FRAME_US, 10).map(us => us + jumpUs)]);
      assert.ok(ptsUs.includes(jumpUs), `${ptsUs}`);
      assert.ok(ptsUs.length >= 17 && ptsUs.length <= 20, `${ptsUs.length}`);
    }
  });
});
