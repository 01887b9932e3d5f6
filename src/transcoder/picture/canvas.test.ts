import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BLACK, Canvas, type Colour, WHITE } from './index.ts';

const RED: Colour = [63, 102, 240];
const GREY: Colour = [128, 128, 128];

/** Colour of one pixel. */
function pixel({ data, width, height }: Canvas, x: number, y: number): Colour {
  const chroma = (y >> 1) * (width / 2) + (x >> 1);
  const u = width * height;
  return [data[y * width + x]!, data[u + chroma]!, data[u + u / 4 + chroma]!];
}

function luma(canvas: Canvas): string[] {
  const rows = Array.from({ length: canvas.height }, (_, y) => y);
  const columns = Array.from({ length: canvas.width }, (_, x) => x);
  return rows.map(y => columns.map(x => (pixel(canvas, x, y)[0] === WHITE[0] ? '#' : '.')).join(''));
}

describe('a canvas', () => {
  it('is planar YUV 4:2:0', () => assert.equal(new Canvas(16, 8).data.length, 16 * 8 * 1.5));

  it('draws a rectangle of luma and chroma, and nothing around it', () => {
    const canvas = new Canvas(8, 8);
    canvas.rectangle(0, 0, 8, 8, GREY);
    canvas.rectangle(2, 4, 4, 2, RED);
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        const inside = x >= 2 && x < 6 && y >= 4 && y < 6;
        assert.deepEqual(pixel(canvas, x, y), inside ? RED : GREY, `${x}, ${y}`);
      }
    }
  });

  it('cuts off what lies outside, on every side', () => {
    const even = fc.integer({ min: -20, max: 20 }).map(half => 2 * half);
    const size = fc.nat(30).map(half => 2 * half);
    fc.assert(
      fc.property(even, even, size, size, (left, top, width, height) => {
        const canvas = new Canvas(16, 12);
        canvas.rectangle(0, 0, 16, 12, GREY);
        canvas.rectangle(left, top, width, height, RED);
        for (let y = 0; y < 12; y++) {
          for (let x = 0; x < 16; x++) {
            const inside = x >= left && x < left + width && y >= top && y < top + height;
            assert.deepEqual(pixel(canvas, x, y), inside ? RED : GREY, `${x}, ${y}`);
          }
        }
      }),
    );
  });

  it('draws a disc within its radius', () => {
    const canvas = new Canvas(40, 40);
    canvas.rectangle(0, 0, 40, 40, BLACK);
    canvas.disc(20, 20, 10, WHITE);
    for (let y = 0; y < 40; y++) {
      for (let x = 0; x < 40; x++) {
        const distance = Math.hypot(x - 20, y - 20);
        const lit = pixel(canvas, x, y)[0] === WHITE[0];
        if (distance < 7) assert.ok(lit, `${x}, ${y}`);
        if (distance > 12) assert.ok(!lit, `${x}, ${y}`);
      }
    }
  });

  it('draws a circle that is hollow', () => {
    const canvas = new Canvas(64, 64);
    canvas.circle(32, 32, 20, 4, WHITE);
    assert.deepEqual([pixel(canvas, 52, 32), pixel(canvas, 32, 52)], [WHITE, WHITE]);
    assert.notDeepEqual(pixel(canvas, 32, 32), WHITE);
  });

  it('draws digits of seven segments', () => {
    const canvas = new Canvas(40, 16);
    canvas.rectangle(0, 0, 40, 16, BLACK);
    canvas.digits('17.', 0, 0, 16, WHITE);
    // A bar is two pixels, a digit eight wide with two between.
    assert.deepEqual(
      luma(canvas).map(row => row.slice(0, 24)),
      [
        ...Array(2).fill('......##..########......'),
        ...Array(12).fill('......##........##......'),
        ...Array(2).fill('......##........##..##..'),
      ],
    );
  });

  // The usual letters: a on top, b and c at the right, d at the bottom, e and f at the left, g in the middle.
  const places = { a: [4, 0], b: [7, 5], c: [7, 12], d: [4, 15], e: [0, 12], f: [0, 5], g: [4, 8] } as const;
  for (const [digit, lit] of Object.entries({
    0: 'abcdef',
    1: 'bc',
    2: 'abdeg',
    3: 'abcdg',
    4: 'bcfg',
    5: 'acdfg',
    6: 'acdefg',
    7: 'abc',
    8: 'abcdefg',
    9: 'abcdfg',
  })) {
    it(`lights ${lit} for ${digit}`, () => {
      const canvas = new Canvas(8, 16);
      canvas.rectangle(0, 0, 8, 16, BLACK);
      canvas.digits(digit, 0, 0, 16, WHITE);
      const found = Object.entries(places).filter(([, [x, y]]) => pixel(canvas, x, y)[0] === WHITE[0]);
      assert.equal(found.map(([segment]) => segment).join(''), lit);
    });
  }

  it('draws a colon as two dots', () => {
    const canvas = new Canvas(4, 16);
    canvas.rectangle(0, 0, 4, 16, BLACK);
    canvas.digits(':', 0, 0, 16, WHITE);
    const rows = luma(canvas).flatMap((row, y) => (row === '##..' ? [y] : []));
    assert.deepEqual(rows, [4, 5, 10, 11]);
  });

  it('copies another', () => {
    const [one, other] = [new Canvas(4, 4), new Canvas(4, 4)];
    one.rectangle(0, 0, 4, 4, RED);
    other.copyFrom(one);
    one.rectangle(0, 0, 4, 4, GREY);
    assert.deepEqual(pixel(other, 3, 3), RED);
  });
});
