import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBuckets } from './token-buckets.ts';

const LIMITS = { ratePerSecond: 10, burst: 3 };
const takes = (buckets: TokenBuckets, source: string, nowMs: number, times: number) =>
  Array.from({ length: times }, () => buckets.take(source, nowMs)).filter(Boolean).length;

test('a source may ask for a burst, and then at the rate', () => {
  const buckets = new TokenBuckets(LIMITS, 100);
  assert.equal(takes(buckets, 'a', 0, 10), 3);
  assert.equal(buckets.take('a', 99), false);
  // Asking in vain costs nothing.
  assert.deepEqual([buckets.take('a', 100), buckets.take('a', 100)], [true, false]);
  let served = 0;
  for (let atMs = 101; atMs <= 10_100; atMs++) if (buckets.take('a', atMs)) served++;
  assert.equal(served, 100);
});

test('a bucket is full again after a time of quiet, and not fuller', () => {
  const buckets = new TokenBuckets(LIMITS, 100);
  takes(buckets, 'a', 0, 3);
  assert.equal(takes(buckets, 'a', 60_000, 10), 3);
});

test('each source has a bucket of its own', () => {
  const buckets = new TokenBuckets(LIMITS, 100);
  takes(buckets, 'a', 0, 10);
  assert.equal(takes(buckets, 'b', 0, 10), 3);
});

test('only so many sources are kept in mind, those that asked last', () => {
  const buckets = new TokenBuckets(LIMITS, 2);
  for (const source of ['a', 'b']) takes(buckets, source, 0, 10);
  buckets.take('a', 0);
  for (let n = 0; n < 1_000; n++) {
    buckets.take(`other ${n}`, 0);
    assert.equal(buckets.take('a', 0), false);
  }
  assert.equal(buckets.size, 2);
  assert.equal(buckets.take('b', 0), true);
});
