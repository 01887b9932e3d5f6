import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseAudio, chooseVideo, type VideoWish } from './renditions.ts';

const SOURCE = { width: 1280, height: 720, frameRate: 30 };
const WISH: VideoWish = { codec: 'h264', packetizationMode: 1, maxLevelIdc: 31, profile: 'baseline' };
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
    wish: 'level 1.2',
    maxLevelIdc: 12,
    source: { width: 320, height: 180, frameRate: 25 },
    expected: [320, 180, 25, 312_000],
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
    expected: [720, 1280, 30],
  },
  {
    wish: 'a source of 59.94 pictures a second',
    maxLevelIdc: 31,
    source: { width: 1280, height: 720, frameRate: 59.94 },
    expected: [1280, 720, 29.97],
  },
  {
    wish: 'a source of 50 pictures a second',
    maxLevelIdc: 31,
    source: { width: 1280, height: 720, frameRate: 50 },
    expected: [1280, 720, 25],
  },
  {
    wish: 'a source of 40 pictures a second',
    maxLevelIdc: 31,
    source: { width: 1280, height: 720, frameRate: 40 },
    expected: [1280, 720, 30],
  },
  {
    wish: 'a source whose 30 pictures a second were measured',
    maxLevelIdc: 31,
    source: { width: 1280, height: 720, frameRate: 30.02 },
    expected: [1280, 720, 30],
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
    const rendition = chooseVideo({ ...WISH, maxLevelIdc }, source, []);
    const { width, height, frameRate, bitrateBps } = rendition;
    assert.deepEqual([width, height, frameRate], expected.slice(0, 3));
    if (expected[3] !== undefined) assert.ok(Math.abs(bitrateBps - expected[3]) < 1_000, String(bitrateBps));
  });
}

describe("a ladder of a channel's own", () => {
  const ladder = [
    { width: 1920, height: 1080, frameRate: 30, bitrateBps: 6_000_000 },
    { width: 960, height: 540, frameRate: 30, bitrateBps: 1_500_000 },
    { width: 352, height: 288, frameRate: 25, bitrateBps: 400_000 },
  ];
  const source = { width: 1920, height: 1080, frameRate: 30 };

  for (const [maxLevelIdc, expected] of [
    [null, [1920, 1080, 30, 6_000_000]],
    [40, [1920, 1080, 30, 6_000_000]],
    [31, [960, 540, 30, 1_500_000]],
    [13, [352, 198, 25, 302_000]],
    [10, [176, 98, 15, 45_000]],
  ] as const) {
    it(`gives ${maxLevelIdc === null ? 'whoever names no level' : `a decoder of level ${maxLevelIdc / 10}`} the best that it takes`, () => {
      const { width, height, frameRate, bitrateBps } = chooseVideo({ ...WISH, maxLevelIdc }, source, ladder);
      assert.deepEqual([width, height, frameRate, Math.round(bitrateBps / 1000) * 1000], expected);
    });
  }
});

describe('what comes in is passed through', () => {
  const h264 = (profile: 'baseline' | 'main' | 'high', levelIdc: number) =>
    ({ codec: 'h264', profile, levelIdc }) as const;

  for (const [name, make, wish, passes] of [
    ['to whoever takes just that', h264('main', 31), { profile: 'main' }, true],
    ['to whoever takes more', h264('main', 30), { profile: 'high', maxLevelIdc: 40 }, true],
    ['not to a decoder of a lower profile', h264('main', 31), { profile: 'baseline' }, false],
    ['not to a decoder of a lower level', h264('main', 40), { profile: 'main' }, false],
    ['not where each NAL unit has to fit a packet', h264('baseline', 31), { packetizationMode: 0 }, false],
    ['not in another codec', { codec: 'vp8' }, {}, false],
    ['in VP8 to whoever takes VP8', { codec: 'vp8' }, { codec: 'vp8', maxLevelIdc: null, profile: null }, true],
  ] as const) {
    it(name, () => {
      const rendition = chooseVideo({ ...WISH, ...wish }, { ...SOURCE, passThrough: make }, []);
      assert.deepEqual(rendition.passThrough, passes ? make : undefined);
    });
  }

  it('in one rendition for all to whom it is, whatever they could take beyond it', () => {
    const source = { width: 1280, height: 720, frameRate: 25, passThrough: h264('baseline', 31) };
    const [one, other] = [31, 52].map(maxLevelIdc =>
      chooseVideo({ ...WISH, maxLevelIdc, profile: 'high' }, source, []),
    );
    assert.deepEqual(one, other);
  });

  for (const [codec, passes] of [
    ['opus', true],
    ['pcma', false],
  ] as const) {
    it(`in sound of Opus ${passes ? '' : 'not '}to whoever takes ${codec}`, () => {
      const make = { codec: 'opus' } as const;
      const { passThrough } = chooseAudio(codec, { sampleRateHz: 48_000, channels: 2, passThrough: make });
      assert.deepEqual(passThrough, passes ? make : undefined);
    });
  }
});
