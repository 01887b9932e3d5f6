import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Bans } from './bans.ts';

const LIMITS = { strikes: 3, windowMs: 60_000, firstMs: 1_000, longestMs: 10_000 };

let bans: Bans;
beforeEach(() => {
  bans = new Bans(LIMITS, 100);
});

/** Three different strikes at once; gives the length of the ban that follows. */
function offend(nowMs: number, source = 'a'): number | null {
  const lengths = ['x', 'y', 'z'].map(what => bans.strike(source, `${what} ${nowMs}`, nowMs));
  assert.deepEqual(lengths.slice(0, 2), [null, null]);
  return lengths[2]!;
}

test('a ban begins with the last strike and ends by itself, to the millisecond', () => {
  assert.equal(bans.isBanned('a', 0), false);
  assert.equal(offend(500), 1_000);
  assert.deepEqual(
    [500, 1_499, 1_500].map(nowMs => bans.isBanned('a', nowMs)),
    [true, true, false],
  );
  assert.equal(bans.isBanned('b', 500), false);
});

test('each ban is twice as long as the one before, up to the longest', () => {
  let nowMs = 0;
  const lengths = Array.from({ length: 6 }, () => {
    const lengthMs = offend(nowMs)!;
    nowMs += lengthMs;
    return lengthMs;
  });
  assert.deepEqual(lengths, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  // Whoever behaves for as long as the longest ban starts anew.
  assert.equal(offend(nowMs + 9_999), 10_000);
  assert.equal(offend(nowMs + 9_999 + 20_000), 1_000);
});

describe('strikes', () => {
  test('that are the same count once', () => {
    for (let n = 0; n < 100; n++) assert.equal(bans.strike('a', 'x', n), null);
    assert.equal(bans.strike('a', 'y', 100), null);
    assert.equal(bans.strike('a', 'z', 100), 1_000);
  });

  test('are forgotten with their window', () => {
    bans.strike('a', 'x', 0);
    bans.strike('a', 'y', 59_999);
    assert.equal(bans.strike('a', 'z', 60_000), null);
    assert.equal(bans.strike('a', 'x', 60_001), null);
    assert.equal(bans.strike('a', 'y', 60_002), 1_000);
  });

  test('of another are not mine', () => {
    bans.strike('a', 'x', 0);
    bans.strike('a', 'y', 0);
    assert.equal(bans.strike('b', 'z', 0), null);
  });
});

test('only so many sources are kept in mind', () => {
  bans = new Bans(LIMITS, 10);
  for (let n = 0; n < 1_000; n++) bans.strike(`source ${n}`, 'x'.repeat(2_000), 0);
  assert.equal(bans.size, 10);
});
