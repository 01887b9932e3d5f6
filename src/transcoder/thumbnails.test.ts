import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { type Frame, Log, Rational } from 'node-av/lib';
import { frameSink } from '../../test/support/frame-sink.ts';
import { testRenditions } from '../../test/support/renditions.ts';
import { decodeKeyFrame } from './decode-key-frame.ts';
import type { EncodedFrame } from './encoded-frame.ts';
import { Canvas, pictureFrame } from './picture/index.ts';
import { Thumbnails, thumbnail } from './thumbnails.ts';

const START_US = 1_700_000_000_000_000;

Log.setLevel(AV_LOG_FATAL);

function picture(width: number, height: number): Frame {
  const canvas = new Canvas(width, height);
  canvas.rectangle(0, 0, width, height, [200, 60, 60]);
  return pictureFrame(canvas);
}

/** Width and height as a JPEG's first start of frame says them (ITU-T T.81 §B.2.2). */
function sizeOf(jpeg: Uint8Array): [number, number] {
  const bytes = Buffer.from(jpeg);
  assert.equal(bytes.readUInt16BE(0), 0xffd8);
  assert.equal(bytes.readUInt16BE(bytes.length - 2), 0xffd9);
  const at = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
}

describe('a thumbnail', () => {
  for (const [width, height, aspect, expected] of [
    [1280, 720, [1, 1], [320, 180]],
    [160, 120, [0, 1], [320, 240]],
    [720, 576, [16, 15], [320, 240]],
    [720, 576, [64, 45], [320, 180]],
    [608, 1080, [1, 1], [320, 568]],
    [64, 2048, [1, 1], [320, 568]],
    [2048, 2, [1, 1], [320, 2]],
  ] as const) {
    it(`of ${width}x${height} with pixels of ${aspect.join(':')} is ${expected.join('x')}`, () => {
      using frame = picture(width, height);
      frame.sampleAspectRatio = new Rational(aspect[0], aspect[1]);
      assert.deepEqual(sizeOf(thumbnail(frame)!), expected);
    });
  }

  it('is small', () => {
    using frame = picture(1280, 720);
    assert.ok(thumbnail(frame)!.length < 20_000);
  });
});

describe('while a channel is on air', () => {
  it('a thumbnail is made after a second and then every ten, and everything is passed on', () => {
    const made: number[] = [];
    const passed = { pictures: 0, sounds: 0 };
    let nowUs = 0;
    const thumbnails = new Thumbnails(
      frameSink({ video: () => void passed.pictures++, audio: () => void passed.sounds++ }),
      () => void made.push(nowUs / 1_000_000),
      () => START_US + nowUs,
    );
    using frame = picture(64, 48);
    for (; nowUs <= 25_000_000; nowUs += 100_000) {
      thumbnails.video(frame, START_US + nowUs);
      thumbnails.audio(frame, START_US + nowUs);
    }
    assert.deepEqual([made, passed], [[1, 11, 21], { pictures: 251, sounds: 251 }]);
  });

  it('a picture is asked for when one is due, although nobody else needs any', () => {
    let nowUs = START_US;
    const sink = { ...frameSink({ video: () => undefined, audio: () => undefined }), needsFrames: () => false };
    const thumbnails = new Thumbnails(
      sink,
      () => undefined,
      () => nowUs,
    );
    using frame = picture(64, 48);
    const asked: number[] = [];
    for (; nowUs <= START_US + 25_000_000; nowUs += 100_000) {
      assert.equal(thumbnails.needsFrames('audio'), false);
      if (!thumbnails.needsFrames('video')) continue;
      asked.push((nowUs - START_US) / 1_000_000);
      thumbnails.video(frame, nowUs);
    }
    assert.deepEqual(asked, [1, 11, 21]);
  });

  for (const codec of ['h264', 'vp8'] as const) {
    it(`that is passed through in ${codec}, a picture is made of a key frame, and none is asked for`, async t => {
      const [keyFrame, other] = await encoded(t, codec);
      const made = Promise.withResolvers<Uint8Array>();
      let nowUs = START_US;
      const sink = { ...frameSink({ video: () => undefined, audio: () => undefined }), needsFrames: () => false };
      const thumbnails = new Thumbnails(sink, made.resolve, () => nowUs);
      thumbnails.passes('video', codec === 'vp8' ? { codec } : { codec, profile: 'baseline', levelIdc: 10 });
      assert.equal(thumbnails.needsFrames('video'), false);
      nowUs += 2_000_000;
      assert.equal(thumbnails.needsFrames('video'), false);
      thumbnails.packet('video', { ...other!, ptsUs: nowUs });
      thumbnails.packet('video', { ...keyFrame!, ptsUs: nowUs + 40_000 });
      assert.deepEqual(sizeOf(await made.promise), [320, 240]);
      nowUs += 11_000_000;
      thumbnails.passes('video', null);
      assert.equal(thumbnails.needsFrames('video'), true);
    });
  }

  it('a key frame that cannot be decoded does no harm', async () => {
    assert.equal(await decodeKeyFrame('h264', Buffer.from([0, 0, 0, 1, 0x65, 1, 2, 3])), null);
  });
});

/** Two pictures of 64x48, of which the first is a key frame. */
async function encoded(t: TestContext, codec: 'h264' | 'vp8'): Promise<EncodedFrame[]> {
  const frames: EncodedFrame[] = [];
  const both = Promise.withResolvers<void>();
  const renditions = testRenditions({
    onFrame: (_, frame) => {
      if (frames.push(frame) === 2) both.resolve();
    },
  });
  t.after(() => renditions.close());
  const size = { width: 64, height: 48, frameRate: 30, bitrateBps: 200_000 };
  await renditions.start(1, { kind: 'video', codec, packetizationMode: 1, ...size });
  using frame = picture(64, 48);
  renditions.video(frame, 0);
  renditions.video(frame, 40_000);
  await both.promise;
  return frames;
}
