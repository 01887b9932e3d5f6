import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Frame } from 'node-av/lib';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { createSource } from './index.ts';

const START_MS = 1_700_000_000_250;

interface Played {
  readonly pictures: { ptsUs: number; time: number }[];
  readonly sounds: { ptsUs: number; samples: Int16Array }[];
}

/** What the 48 squares of a picture say. */
function readTime(frame: Frame): number {
  const luma = frame.data![0]!;
  let time = 0;
  for (let bit = 0; bit < 48; bit++) time = 2 * time + Number(luma[bit * 16 + 8]! > 128);
  return time;
}

/** Plays the test card in virtual time, a millisecond at a time; `stallMs` of it pass at once in the middle. */
async function play(t: TestContext, forMs: number, stallMs = 0): Promise<Played> {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: START_MS });
  const source = await createSource({
    url: 'testcard:',
    loop: false,
    passThrough: true,
    nowUs: () => Date.now() * 1_000,
    changed: () => undefined,
  });
  assert.deepEqual(await source.open(), {
    video: { width: 1280, height: 720, frameRate: 30 },
    audio: { sampleRateHz: 48_000, channels: 2 },
  });
  const ending = new AbortController();
  const played: Played = { pictures: [], sounds: [] };
  const playing = source.play(
    frameSink({
      video: (frame, ptsUs) => played.pictures.push({ ptsUs, time: readTime(frame) }),
      audio: (frame, ptsUs) => {
        const { buffer, byteOffset } = frame.data![0]!;
        played.sounds.push({ ptsUs, samples: new Int16Array(buffer.slice(byteOffset, byteOffset + 960 * 2 * 2)) });
      },
    }),
    ending.signal,
  );
  for (let ms = 0; ms < forMs; ms++) {
    t.mock.timers.tick(stallMs > 0 && ms === forMs >> 1 ? stallMs : 1);
    await new Promise<void>(resolve => setImmediate(resolve));
  }
  ending.abort();
  await playing;
  await source.close();
  return played;
}

const peak = (samples: Int16Array) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

describe('the test card as a source', () => {
  it('makes 30 pictures a second, each saying when it was made', async t => {
    const { pictures } = await play(t, 1_000);
    assert.ok(pictures.length === 29 || pictures.length === 30, `${pictures.length}`);
    for (const { ptsUs, time } of pictures) {
      assert.equal(time * 1_000, ptsUs);
      // Frame n is due at n/30 s since 1970.
      const n = Math.round((ptsUs * 30) / 1_000_000);
      assert.equal(time, Math.floor((n * 1_000) / 30));
    }
  });

  it('makes 50 sounds of 20 ms a second: a beep in the first five, silence in the rest', async t => {
    const { sounds } = await play(t, 1_000);
    assert.equal(sounds.length, 50);
    for (const [index, { ptsUs, samples }] of sounds.entries()) {
      assert.equal(ptsUs, sounds[0]!.ptsUs + index * 20_000);
      const beeps = (ptsUs / 1_000) % 1_000 < 100;
      assert.equal(peak(samples) > 1_000, beeps, `${ptsUs}`);
    }
    assert.equal(sounds.filter(({ samples }) => peak(samples) > 0).length, 5);
  });

  it('beeps at 1 kHz on both channels', async t => {
    const beep = (await play(t, 1_000)).sounds.find(({ samples }) => peak(samples) > 0)!.samples;
    const left = beep.filter((_, index) => index % 2 === 0);
    assert.deepEqual(
      left,
      beep.filter((_, index) => index % 2 === 1),
    );
    // 48 samples a period.
    for (let sample = 0; sample + 48 < left.length; sample++) {
      // The last bit depends on rounding.
      assert.ok(Math.abs(left[sample]! - left[sample + 48]!) <= 1);
    }
    assert.notEqual(left[0], left[12]);
  });

  it('leaves out pictures that it missed, and makes up for the sound', async t => {
    const { pictures, sounds } = await play(t, 400, 300);
    const gaps = pictures.slice(1).map(({ ptsUs }, index) => ptsUs - pictures[index]!.ptsUs);
    assert.ok(gaps.some(gapUs => gapUs > 200_000));
    for (const [index, { ptsUs }] of sounds.entries()) assert.equal(ptsUs, sounds[0]!.ptsUs + index * 20_000);
  });

  it('leaves out sound that nobody has a use for any more', async t => {
    const { sounds } = await play(t, 400, 5_000);
    assert.ok(sounds.length < 60, `${sounds.length} sounds`);
  });
});
