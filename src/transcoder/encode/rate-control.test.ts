import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { type Frame, Log } from 'node-av/lib';
import { noise, playRenditions } from '../../../test/support/renditions.ts';
import { Canvas, pictureFrame } from '../picture/index.ts';
import type { RenditionStats, VideoRendition } from '../wire.ts';
import { SOFTWARE } from './video-codecs.ts';

const RATE = 25;
const PERIOD_US = 1_000_000 / RATE;
const SPEC = {
  kind: 'video',
  packetizationMode: 1,
  width: 640,
  height: 360,
  frameRate: RATE,
  bitrateBps: 800_000,
} as const;

Log.setLevel(AV_LOG_FATAL);

const CASES = [
  { codec: 'h264', packetizationMode: 1 },
  { codec: 'h264', packetizationMode: 0 },
  { codec: 'vp8', packetizationMode: 1 },
] as const;

/** A still picture, then another one altogether, and so on. */
function scene(index: number): Frame {
  const canvas = new Canvas(SPEC.width, SPEC.height);
  const step = [40, 7, 19, 11][Math.floor(index / RATE) % 4]!;
  for (let x = 0; x < SPEC.width; x += 2 * step) {
    for (let y = (x / step) % 2; y < SPEC.height; y += 2 * step) {
      canvas.rectangle(x, y, step, step, [200, (x * 5) % 256, (y * 3) % 256]);
    }
  }
  return pictureFrame(canvas);
}

/** Has pictures encoded; the sizes in bits of those that came of them, null for one that the encoder left out. */
async function encode(t: TestContext, spec: VideoRendition, pictures: number, draw: (index: number) => Frame) {
  const { renditions, frames } = playRenditions(t);
  await renditions.start(1, spec);
  const sizes: (number | null)[] = [];
  for (let index = 0; index < pictures; index++) {
    using frame = draw(index);
    renditions.video(frame, index * PERIOD_US);
    const isDone = () => {
      const [{ framesEncoded, framesDropped }] = renditions.stats() as [RenditionStats];
      return framesEncoded + framesDropped > index;
    };
    while (!isDone()) await new Promise(setImmediate);
    const [made] = frames.get(1)?.splice(0) ?? [];
    // Each comes at once, or never.
    assert.ok(made === undefined || made.ptsUs === index * PERIOD_US);
    sizes.push(made === undefined ? null : 8 * made.data.length);
  }
  return sizes;
}

describe('the rate of an encoder', { timeout: 60_000 }, () => {
  for (const { codec, packetizationMode } of CASES) {
    const name = `of ${codec} in mode ${packetizationMode}`;

    it(`${name} is held through changes of scene`, async t => {
      const sizes = await encode(t, { ...SPEC, codec, packetizationMode }, 6 * RATE, scene);
      // The decoder's buffer (ITU-T H.264 §C.1) holds a second of the rate, and is drained by it.
      let bits = 0;
      for (const [index, size] of sizes.entries()) {
        bits = Math.max(0, bits + (size ?? 0) - SPEC.bitrateBps / RATE);
        assert.ok(bits <= SPEC.bitrateBps, `picture ${index}: ${bits} bits wait for a line of ${SPEC.bitrateBps} b/s`);
      }
      const made = sizes.filter(size => size !== null).length;
      assert.ok(made >= (codec === 'h264' ? 1 : 0.9) * sizes.length, `${made} of ${sizes.length} pictures`);
    });

    it(`${name} is held although no picture can be made small`, async t => {
      const spec = { ...SPEC, codec, packetizationMode, width: 160, height: 90, bitrateBps: 50_000 };
      const sizes = await encode(t, spec, 8 * RATE, index => noise(spec.width, spec.height, index));
      const bits = sizes.slice(4 * RATE).reduce<number>((sum, size) => sum + (size ?? 0), 0);
      assert.ok(bits <= 4 * 1.1 * spec.bitrateBps, `${bits} bits in four seconds`);
    });
  }

  it('is not bought with pictures that wait for those after them', () => {
    const { tune, 'x264-params': params } = SOFTWARE.h264.options({ ...SPEC, codec: 'h264' }, 'full');
    assert.equal(tune, 'zerolatency');
    for (const param of ['bframes=0', 'scenecut=0', 'vbv-maxrate=800', 'vbv-bufsize=800']) {
      assert.ok(String(params).split(':').includes(param), param);
    }
    const { 'lag-in-frames': lag, deadline } = SOFTWARE.vp8.options({ ...SPEC, codec: 'vp8' }, 'full');
    assert.deepEqual([lag, deadline], [0, 'realtime']);
  });
});
