import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyFrameDistance } from './key-frame-distance.ts';

/** Groups of pictures of these seconds, ten pictures each; the next group has begun. */
function watch(seconds: readonly number[], isReordered = false) {
  const distance = new KeyFrameDistance(isReordered);
  let startUs = 1_700_000_000_000_000;
  for (const each of seconds) {
    const lengthUs = each * 1_000_000;
    for (let picture = 0; picture < 10; picture++) distance.take(picture === 0, startUs + (picture * lengthUs) / 10);
    startUs += lengthUs;
  }
  distance.take(true, startUs);
  return { distance, startUs };
}

describe('key frames', () => {
  for (const [name, seconds, obstacle] of [
    ['a second apart are near enough', [1], null],
    ['2.5 seconds apart are just so', [2.5, 2.5], null],
    ['of which one was late are not', [1, 4, 1], 'its key frames are up to 4.0 s apart'],
    ['ten seconds apart are too far', [10], 'its key frames are up to 10.0 s apart'],
    ['that come near again are near enough after eight', [10, 1, 1, 1, 1, 1, 1, 1, 1], null],
  ] as const) {
    it(name, () => assert.equal(watch(seconds).distance.obstacle, obstacle));
  }

  it('are known after two of them', () => {
    assert.equal(watch([]).distance.isKnown, false);
    assert.equal(watch([1]).distance.isKnown, true);
  });

  it('are too far apart as soon as the next one is late', () => {
    const { distance, startUs } = watch([1]);
    distance.take(false, startUs + 2_500_000);
    assert.equal(distance.obstacle, null);
    distance.take(false, startUs + 2_600_000);
    assert.equal(distance.obstacle, 'its key frames are more than 2.5 s apart');
  });
});

describe('B-frames', () => {
  it('are seen by a picture that is shown before the one that was sent before it', () => {
    const { distance, startUs } = watch([1]);
    distance.take(false, startUs + 200_000);
    assert.equal(distance.obstacle, null);
    distance.take(false, startUs + 100_000);
    assert.equal(distance.obstacle, 'it has B-frames');
  });

  it('may be known beforehand', () => {
    assert.equal(watch([1], true).distance.obstacle, 'it has B-frames');
  });

  it('are forgotten after eight groups without any', () => {
    assert.equal(watch(Array(8).fill(1), true).distance.obstacle, null);
  });
});
