import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AV_CHANNEL_LAYOUT_STEREO, AV_SAMPLE_FMT_S16 } from 'node-av/constants';
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

  it('after a long hole, or a step back, begins anew', () => {
    for (const jumpUs of [10_000_000, -10_000_000]) {
      const { ptsUs } = filtered([...every(FRAME_US, 10), ...every(FRAME_US, 10).map(us => us + jumpUs)]);
      assert.ok(ptsUs.includes(jumpUs), `${ptsUs}`);
      assert.ok(ptsUs.length >= 17 && ptsUs.length <= 20, `${ptsUs.length}`);
    }
  });
});
