import assert from 'node:assert/strict';
import { it } from 'node:test';
import { chooseVideo } from './renditions.ts';

const SOURCE = { width: 1280, height: 720, frameRate: 30 };
const cases = [
  { wish: 'no level', maxLevelIdc: null, source: SOURCE, expected: [1280, 720, 30, 2_500_000] },
  { wish: 'level 3.1', maxLevelIdc: 31, source: SOURCE, expected: [1280, 720, 30, 2_500_000] },
  { wish: 'level 3.0', maxLevelIdc: 30, source: SOURCE, expected: [640, 360, 30, 800_000] },
  { wish: 'level 1.3', maxLevelIdc: 13, source: SOURCE, expected: [320, 180, 30, 250_000] },
  { wish: 'level 1.0', maxLevelIdc: 10, source: SOURCE, expected: [176, 98, 15, 45_000] },
  { wish: 'below every level', maxLevelIdc: 9, source: SOURCE, expected: [176, 98, 15, 45_000] },
  {
    wish: 'a smaller source',
    maxLevelIdc: 31,
    source: { width: 720, height: 480, frameRate: 25 },
    expected: [720, 480, 25],
  },
  {
    wish: 'a larger source',
    maxLevelIdc: 31,
    source: { width: 1920, height: 1080, frameRate: 60 },
    expected: [1280, 720, 30],
  },
  {
    wish: 'a portrait source',
    maxLevelIdc: 31,
    source: { width: 1080, height: 1920, frameRate: 30 },
    expected: [404, 720, 30],
  },
  {
    wish: 'an odd source',
    maxLevelIdc: 31,
    source: { width: 641, height: 359, frameRate: 30 },
    expected: [640, 358, 30],
  },
] as const;

for (const { wish, maxLevelIdc, source, expected } of cases) {
  it(`chooses a rendition for ${wish} of ${source.width}x${source.height}`, () => {
    const rendition = chooseVideo({ codec: 'h264', packetizationMode: 1, maxLevelIdc }, source);
    const { width, height, frameRate, bitrateBps } = rendition;
    assert.deepEqual([width, height, frameRate], expected.slice(0, 3));
    if (expected[3] !== undefined) assert.ok(Math.abs(bitrateBps - expected[3]) < 1_000, String(bitrateBps));
  });
}
