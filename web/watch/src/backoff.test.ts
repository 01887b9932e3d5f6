import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';

test('the wait doubles from a quarter of a second up to ten seconds', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 100].map(attempt => backoffMs(attempt, 1));
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});

test('chance shortens the wait by half at most', () => {
  assert.equal(backoffMs(3, 0), 1000);
  assert.equal(backoffMs(3, 0.5), 1500);
});
