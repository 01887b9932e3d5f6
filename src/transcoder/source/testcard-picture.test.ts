import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MARK_MS, TESTCARD, TestcardPicture } from './testcard-picture.ts';

const BITS = 48;
const SQUARE = 16;
const WHITE = 235;
const BLACK = 16;

const picture = new TestcardPicture();
const luma = (data: Buffer, x: number, y: number) => data[y * TESTCARD.width + x]!;

/** The time that the squares say; every pixel of each has to be white or black. */
function readTime(data: Buffer): number {
  let bits = '';
  for (let bit = 0; bit < BITS; bit++) {
    const first = luma(data, bit * SQUARE, 0);
    for (let y = 0; y < SQUARE; y++) {
      for (let x = 0; x < SQUARE; x++) assert.equal(luma(data, bit * SQUARE + x, y), first);
    }
    assert.ok(first === WHITE || first === BLACK);
    bits += first === WHITE ? '1' : '0';
  }
  return Number.parseInt(bits, 2);
}

const flash = (data: Buffer) => luma(data, TESTCARD.width - 1, TESTCARD.height - 1);

describe('the test card', () => {
  it('is 1280x720 at 30 frames a second', () => {
    assert.deepEqual(TESTCARD, { width: 1280, height: 720, frameRate: 30 });
    assert.equal(picture.draw(0).data.length, 1280 * 720 * 1.5);
  });

  it('says the time in 48 squares along the top edge, the most significant bit first', () => {
    for (const unixMs of [0, 1, 1_700_000_000_123, 2 ** 47, 2 ** 48 - 1]) {
      assert.equal(readTime(picture.draw(unixMs).data), unixMs);
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), time => readTime(picture.draw(time).data) === time),
      {
        numRuns: 20,
      },
    );
  });

  for (const [sinceMs, shown] of [
    [0, WHITE],
    [MARK_MS - 1, WHITE],
    [MARK_MS, BLACK],
    [500, BLACK],
    [999, BLACK],
  ] as const) {
    it(`${sinceMs} ms after the full second has ${shown === WHITE ? 'a flash' : 'no flash'} of 64x64 at the lower right`, () => {
      const { data } = picture.draw(1_700_000_000_000 + sinceMs);
      for (let y = 0; y < 64; y++) {
        for (let x = 0; x < 64; x++) assert.equal(luma(data, TESTCARD.width - 64 + x, TESTCARD.height - 64 + y), shown);
      }
      assert.notEqual(luma(data, TESTCARD.width - 65, TESTCARD.height - 65), WHITE);
    });
  }

  it('flashes for exactly 100 ms', () => {
    const lit = Array.from({ length: 1_000 }, (_, ms) => ms).filter(ms => ms % 33 === 0 || (ms > 95 && ms < 105));
    for (const ms of lit) assert.equal(flash(picture.draw(ms).data) === WHITE, ms < 100, `${ms} ms`);
  });

  it('has something that moves from picture to picture, apart from what tells the time', () => {
    // Between the squares and the digits, where the ball is for the first and the last half second of its way.
    const top = (unixMs: number) =>
      Buffer.from(picture.draw(unixMs).data.subarray(40 * TESTCARD.width, 420 * TESTCARD.width));
    assert.ok(!top(12_000).equals(top(12_033)));
    assert.ok(top(12_000).equals(top(16_000)));
  });

  it('has digits that change with the tenth of a second and not within it', () => {
    const panel = (unixMs: number) => {
      const { data } = picture.draw(unixMs);
      const rows = Array.from({ length: 110 }, (_, y) => (440 + y) * TESTCARD.width);
      return rows.map(row => data.toString('hex', row + 400, row + 880)).join('');
    };
    assert.equal(panel(1_700_000_000_110), panel(1_700_000_000_199));
    assert.notEqual(panel(1_700_000_000_199), panel(1_700_000_000_200));
  });
});
