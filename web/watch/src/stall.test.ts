import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StallDetector } from './stall.ts';

test('media that grows does not stall, however slowly', () => {
  const detector = new StallDetector(0);
  for (let second = 1; second < 60; second++)
    assert.equal(detector.sample(Math.ceil(second / 3), second * 1000), false);
});

test('media that never comes stalls four seconds after the answer', () => {
  const detector = new StallDetector(10_000);
  const readings = [11_000, 12_000, 13_000, 14_000, 15_000].map(nowMs => detector.sample(0, nowMs));
  assert.deepEqual(readings, [false, false, false, false, true]);
});

test('media that stops stalls four seconds after it last grew, and media that comes back does not', () => {
  const detector = new StallDetector(0);
  detector.sample(100, 1000);
  assert.equal(detector.sample(100, 4999), false);
  assert.equal(detector.sample(100, 5000), true);
  assert.equal(detector.sample(101, 5001), false);
});
