import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { FRAME_US, nalTypes, noise, playRenditions, SMALL } from '../../../test/support/renditions.ts';
import { SOFTWARE, videoCodecFor } from './video-codecs.ts';

Log.setLevel(AV_LOG_FATAL);

/** NAL units of a key frame that can be decoded by itself. */
const KEY_FRAME_NALS = [7, 8, 5];

describe('renditions for which less is done', { timeout: 30_000 }, () => {
  it('go on with a key frame of a faster encoder, and nobody is without one meanwhile', async t => {
    const { renditions, show, take } = playRenditions(t);
    await renditions.start(1, SMALL);
    await show(1, 3);
    const changing = renditions.setEffort('fasterPreset');
    assert.equal(renditions.stats()[0]?.framesEncoded, 3);
    await changing;
    const [first, second] = await show(1, 2, { fromUs: 2_000_000 });
    assert.deepEqual([first?.keyFrame, second?.keyFrame], [true, false]);
    assert.deepEqual(
      nalTypes(first!.data).filter(type => type !== 6),
      KEY_FRAME_NALS,
    );
    await renditions.setEffort('full');
    using frame = noise(64, 48, 9);
    renditions.video(frame, 3_000_000);
    assert.equal((await take(1, 1))[0]?.keyFrame, true);
  });

  it('have half of the pictures in the end', async t => {
    const { renditions, frames, take } = playRenditions(t);
    await renditions.start(1, SMALL);
    await renditions.setEffort('halfRate');
    for (let index = 0; index < 30; index++) {
      using frame = noise(64, 48, index);
      renditions.video(frame, index * FRAME_US);
      if (index % 2 === 1) await take(1, 1);
    }
    assert.deepEqual(frames.get(1), []);
  });

  it('get nothing of the encoder before, although it still makes a picture', async t => {
    const { renditions, frames, take } = playRenditions(t);
    const large = { ...SMALL, width: 640, height: 480 };
    await renditions.start(1, large);
    using frame = noise(640, 480, 1);
    renditions.video(frame, 0);
    await renditions.setEffort('fasterPreset');
    frames.clear();
    renditions.video(frame, FRAME_US);
    const [first] = await take(1, 1);
    assert.deepEqual([first?.keyFrame, first?.ptsUs], [true, FRAME_US]);
  });

  it('leave no encoder behind, however often that changes', async t => {
    const { renditions } = playRenditions(t);
    await renditions.start(1, SMALL);
    await renditions.start(2, { ...SMALL, codec: 'vp8' });
    await renditions.start(3, { kind: 'audio', codec: 'opus' });
    assert.deepEqual(renditions.encoders, { video: 2, audio: 1 });
    const changes = ['fasterPreset', 'halfRate', 'fasterPreset', 'full'] as const;
    await Promise.all(changes.map(effort => renditions.setEffort(effort)));
    const settled = () => renditions.encoders.video === 2;
    while (!settled()) await new Promise(setImmediate);
    assert.deepEqual(renditions.encoders, { video: 2, audio: 1 });
    renditions.setEffort('halfRate');
    renditions.stop(1);
    renditions.stop(2);
    while (renditions.encoders.video > 0) await new Promise(setImmediate);
    assert.deepEqual(renditions.stats(), [{ id: 3, framesEncoded: 0, keyFrames: 0, framesDropped: 0 }]);
  });

  it('tell how late each picture is, and of each that was left out', async t => {
    const lags: number[] = [];
    let leftOut = 0;
    const load = { encoded: (lagUs: number) => lags.push(lagUs), leftOut: () => leftOut++ };
    const { renditions, show } = playRenditions(t, { load, nowUs: () => 5_000_000 });
    await renditions.start(1, SMALL);
    await show(1, 2, { fromUs: 4_900_000 });
    assert.deepEqual(lags, [100_000, 100_000 - FRAME_US]);
    renditions.late();
    using frame = noise(64, 48, 0);
    for (let index = 0; index < 10; index++) renditions.video(frame, 5_000_000 + index * FRAME_US);
    assert.ok(leftOut >= 8, `${leftOut}`);
  });

  for (const codec of ['h264', 'vp8'] as const) {
    it(`are encoded in ${codec} with another preset`, () => {
      const spec = { ...SMALL, codec };
      const [full, faster] = (['full', 'fasterPreset'] as const).map(effort => SOFTWARE[codec].options(spec, effort));
      assert.notDeepEqual(full, faster);
      assert.equal(videoCodecFor(spec, null), SOFTWARE[codec]);
    });
  }
});
