import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { testRenditions } from '../../../test/support/renditions.ts';
import type { EncodedFrame } from '../encoded-frame.ts';
import { Canvas, pictureFrame } from '../picture/index.ts';
import type { PassThrough, VideoRendition } from '../wire.ts';

Log.setLevel(AV_LOG_FATAL);

const MAKE: PassThrough = { codec: 'h264', profile: 'main', levelIdc: 31 };
const PASSED: VideoRendition = {
  kind: 'video',
  codec: 'h264',
  packetizationMode: 1,
  width: 64,
  height: 48,
  frameRate: 30,
  bitrateBps: 200_000,
  passThrough: MAKE,
};

/** Renditions, what comes of them in words, and a way to feed them. */
function setUp(t: TestContext) {
  const made: string[] = [];
  let changed = Promise.withResolvers<void>();
  const renditions = testRenditions({
    onFrame: (id, { keyFrame, ptsUs, data }) => {
      made.push(`${id} ${data.length === 1 ? 'passed' : 'encoded'}${keyFrame ? ' key' : ''} ${ptsUs}`);
      changed.resolve();
      changed = Promise.withResolvers();
    },
    onError: (id, error) => assert.fail(`${id}: ${error.message}`),
  });
  t.after(() => renditions.close());
  const packet = (ptsUs: number, keyFrame = false) => {
    const frame: EncodedFrame = { keyFrame, ptsUs, data: Buffer.of(0) };
    renditions.packet('video', frame);
  };
  const picture = (ptsUs: number) => {
    using frame = pictureFrame(new Canvas(64, 48));
    renditions.video(frame, ptsUs);
  };
  const until = async (count: number) => {
    while (made.length < count) await changed.promise;
    return made.splice(0);
  };
  /** Lets an encoder be opened. */
  const opened = async () => {
    while (renditions.stats().length === 0) await new Promise<void>(resolve => setImmediate(resolve));
  };
  return { renditions, made, packet, picture, until, opened };
}

describe('a rendition that is passed through', { timeout: 30_000 }, () => {
  it('is the packets from the next key frame on, and needs no pictures', async t => {
    const { renditions, made, packet } = setUp(t);
    renditions.passes('video', MAKE);
    await renditions.start(1, PASSED);
    assert.equal(renditions.needsFrames('video'), false);
    packet(1);
    packet(2, true);
    packet(3);
    renditions.requestKeyFrame(1);
    packet(4);
    assert.deepEqual(made, ['1 passed key 2', '1 passed 3', '1 passed 4']);
    assert.deepEqual(renditions.stats(), [
      { id: 1, framesEncoded: 0, keyFrames: 0, framesDropped: 0, passedThrough: true },
    ]);
  });

  it('is encoded while there are no packets, and goes over to them at a key frame', async t => {
    const { renditions, packet, picture, until } = setUp(t);
    await renditions.start(1, PASSED);
    assert.equal(renditions.needsFrames('video'), true);
    picture(1_000_000);
    assert.deepEqual(await until(1), ['1 encoded key 1000000']);
    renditions.passes('video', MAKE);
    packet(1_010_000);
    picture(1_040_000);
    assert.deepEqual(await until(1), ['1 encoded 1040000']);
    packet(1_080_000, true);
    packet(1_120_000);
    picture(1_120_000);
    assert.deepEqual(await until(2), ['1 passed key 1080000', '1 passed 1120000']);
    assert.equal(renditions.needsFrames('video'), false);
  });

  it('is encoded again, from a key frame on, when there are no packets any more', async t => {
    const { renditions, packet, picture, until, opened } = setUp(t);
    renditions.passes('video', MAKE);
    await renditions.start(1, PASSED);
    packet(1_000_000, true);
    renditions.passes('video', null);
    assert.equal(renditions.needsFrames('video'), true);
    await opened();
    picture(1_040_000);
    picture(1_080_000);
    assert.deepEqual(await until(3), ['1 passed key 1000000', '1 encoded key 1040000', '1 encoded 1080000']);
  });

  for (const [name, make] of [
    ['profile', { codec: 'h264', profile: 'high', levelIdc: 31 }],
    ['level', { codec: 'h264', profile: 'main', levelIdc: 40 }],
    ['codec', { codec: 'vp8' }],
  ] as const) {
    it(`is encoded when the packets are of another ${name} than was agreed on`, async t => {
      const { renditions, made, packet } = setUp(t);
      renditions.passes('video', MAKE);
      await renditions.start(1, PASSED);
      packet(1, true);
      renditions.passes('video', make);
      packet(2, true);
      assert.deepEqual([made, renditions.needsFrames('video')], [['1 passed key 1'], true]);
    });
  }

  it('leaves others to their encoders', async t => {
    const { renditions, packet, picture, until } = setUp(t);
    const { passThrough: _, ...encoded } = PASSED;
    renditions.passes('video', MAKE);
    await renditions.start(1, PASSED);
    await renditions.start(2, encoded);
    await renditions.start(3, { kind: 'audio', codec: 'opus', passThrough: { codec: 'opus' } });
    picture(1_000_000);
    packet(1_000_000, true);
    assert.deepEqual((await until(2)).toSorted(), ['1 passed key 1000000', '2 encoded key 1000000']);
    renditions.stop(1);
    packet(1_040_000, true);
    renditions.stop(2);
    assert.deepEqual([renditions.needsFrames('video'), renditions.needsFrames('audio')], [false, true]);
  });
});
