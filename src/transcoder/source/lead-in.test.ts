import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LeadIn } from './lead-in.ts';
import type { Medium } from './source.ts';

type Item = readonly [medium: Medium, isKeyFrame: boolean, mediaUs: number];

describe('what comes before the first key frame', () => {
  for (const [name, hasPicture, items, leftOut] of [
    [
      'is left out, sound as well, and nothing after it',
      true,
      [
        ['video', false, 1_000_000],
        ['audio', true, 1_010_000],
        ['video', true, 1_040_000],
        ['audio', true, 1_030_000],
        ['video', false, 1_080_000],
      ],
      2,
    ],
    ['is nothing where that comes first', true, [['video', true, 0]], 0],
    ['is nothing where there is no picture', false, [['audio', true, 0]], 0],
    [
      'is heard when it takes longer than three seconds',
      true,
      [
        ['audio', true, 0],
        ['audio', true, 3_000_000],
        ['audio', true, 3_000_001],
      ],
      2,
    ],
    [
      'is heard when the time of the source jumps',
      true,
      [
        ['audio', true, 95_000_000_000],
        ['audio', true, 0],
      ],
      1,
    ],
  ] satisfies [string, boolean, Item[], number][]) {
    it(name, () => {
      const leadIn = new LeadIn({ hasPicture });
      const out = items.map(([medium, isKeyFrame, mediaUs]) => leadIn.leavesOut(medium, isKeyFrame, mediaUs));
      assert.deepEqual(
        out,
        items.map((_, index) => index < leftOut),
      );
    });
  }
});
