import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { wave, writeMedia } from '../../../test/support/media-files.ts';
import { positionAt, whatIsOn } from './schedule.ts';

// What it remarks on damaged files is for nobody.
Log.setLevel(AV_LOG_FATAL);

describe('what is on', () => {
  for (const [name, durationsUs, unixUs, position] of [
    ['begins in 1970', [10, 20, 30], 0, { index: 0, offsetUs: 0 }],
    ['is the first until it is over', [10, 20, 30], 9, { index: 0, offsetUs: 9 }],
    ['is the next when the one before it is over', [10, 20, 30], 10, { index: 1, offsetUs: 0 }],
    ['is the last until the round is over', [10, 20, 30], 59, { index: 2, offsetUs: 29 }],
    ['begins again for each round', [10, 20, 30], 6_015, { index: 1, offsetUs: 5 }],
    ['is never what does not last', [0, 20, 0, 30], 20, { index: 3, offsetUs: 0 }],
    ['is the first where nothing lasts', [0, 0], 5, { index: 0, offsetUs: 0 }],
    ['is the first where there is nothing', [], 5, { index: 0, offsetUs: 0 }],
  ] as const) {
    it(name, () => assert.deepEqual(positionAt(durationsUs, unixUs), position));
  }

  it('is seen from the files themselves, what is none left out', async t => {
    const paths = [writeMedia(t, 'a.wav', wave(2_000)), writeMedia(t, 'b.mp4', 'no film'), '/nowhere/c.mp4'].concat(
      ...[writeMedia(t, 'd.wav', wave(1_000)), writeMedia(t, 'e.wav', wave(4_000))],
    );
    const items = paths.map(path => ({ name: basename(path), path }));
    assert.deepEqual(await whatIsOn(items, 70_000_000 + 3_500_000), { index: 4, offsetUs: 500_000 });
  });
});
