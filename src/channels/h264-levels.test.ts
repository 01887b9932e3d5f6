import assert from 'node:assert/strict';
import { it } from 'node:test';
import { h264LevelOf } from './h264-levels.ts';

// ITU-T H.264 tables.
for (const [width, height, frameRate, kbps, levelIdc] of [
  [176, 144, 15, 60, 10],
  [176, 144, 15, 65, 11],
  [176, 144, 30, 60, 11],
  [352, 288, 30, 500, 13],
  [352, 288, 30, 1_000, 20],
  [640, 360, 30, 800, 30],
  [720, 576, 25, 4_000, 30],
  [1280, 720, 30, 2_500, 31],
  [1280, 720, 60, 2_500, 32],
  [1920, 1080, 30, 6_000, 40],
  [1920, 1080, 30, 25_000, 42],
  [1920, 1080, 60, 8_000, 42],
  [3840, 2160, 30, 20_000, 51],
  [8192, 8192, 120, 100_000, 52],
] as const) {
  it(`${width}x${height} at ${frameRate} fps and ${kbps} kb/s is of level ${levelIdc / 10}`, () => {
    assert.equal(h264LevelOf({ width, height, frameRate, bitrateBps: kbps * 1000 }), levelIdc);
  });
}
