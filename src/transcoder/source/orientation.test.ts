import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orientationOf } from './orientation.ts';

/** 16.16 fixed point; what is left out is of no meaning here. */
function matrix(a: number, b: number, c: number, d: number): Buffer {
  const bytes = Buffer.alloc(36);
  for (const [index, value] of [a, b, 0, c, d].entries()) bytes.writeInt32LE(value * 65_536, index * 4);
  return bytes;
}

describe('the orientation of pictures', () => {
  for (const [name, bytes, filters, swapsSides] of [
    ['that nothing is said of', null, [], false],
    ['that are upright', matrix(1, 0, 0, 1), [], false],
    ['of a phone held upright', matrix(0, 1, -1, 0), ['transpose dir=clock'], true],
    ['of a phone held upside down', matrix(0, -1, 1, 0), ['transpose dir=cclock'], true],
    ['of a camera on its head', matrix(-1, 0, 0, -1), ['hflip ', 'vflip '], false],
    ['of a mirror', matrix(-1, 0, 0, 1), ['hflip '], false],
    ['of a mirror that was turned', matrix(0, 1, 1, 0), ['transpose dir=cclock_flip'], true],
    ['of a mirror that was turned the other way', matrix(0, -1, -1, 0), ['transpose dir=clock_flip'], true],
    ['that a short matrix says', Buffer.alloc(35), [], false],
  ] as const) {
    it(name, () => {
      const orientation = orientationOf(bytes);
      assert.deepEqual(
        [orientation.filters.map(filter => filter.join(' ')), orientation.swapsSides],
        [filters, swapsSides],
      );
    });
  }
});
