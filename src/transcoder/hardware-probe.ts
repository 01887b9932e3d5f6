/**
 * Tries one kind of hardware, in a process of its own: a driver that crashes or hangs harms nobody. Its argument is the
 * kind, or `software`; it ends with 0 when all that we need of an encoder works, else standard error has the reason.
 */

import { AV_LOG_ERROR } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { VideoEncoder } from './encode/index.ts';
import type { EncodedFrame } from './encoded-frame.ts';
import { Canvas, pictureFrame } from './picture/index.ts';
import type { HardwareKind, VideoRendition } from './wire.ts';

/** No hardware is too small for it, or too large. */
const RENDITION: VideoRendition = {
  kind: 'video',
  codec: 'h264',
  packetizationMode: 1,
  width: 640,
  height: 360,
  frameRate: 30,
  bitrateBps: 1_000_000,
};
const PICTURES = 3;
const PERIOD_US = 33_333;
/** Annex B (ITU-T H.264 §B.1), and the type of a sequence parameter set (table 7-1). */
const START_CODE = Buffer.of(0, 0, 1);
const SPS = 7;

/** Encodes a few pictures, the last of them as a key frame that is asked for; says what is wrong with them. */
async function probe(hardware: HardwareKind | null): Promise<string | null> {
  let made = Promise.withResolvers<EncodedFrame>();
  const encoder = await VideoEncoder.open(RENDITION, {
    effort: 'full',
    hardware,
    nowUs: () => 0,
    load: { encoded: () => undefined, leftOut: () => undefined },
    onFrame: frame => made.resolve(frame),
    onFailed: reason => made.reject(new Error(reason)),
  });
  using picture = pictureFrame(new Canvas(RENDITION.width, RENDITION.height));
  for (let index = 0; index < PICTURES; index++) {
    const isKeyFrame = index === 0 || index === PICTURES - 1;
    if (isKeyFrame) encoder.requestKeyFrame();
    encoder.push(picture, index * PERIOD_US);
    const { keyFrame, data } = await made.promise;
    if (keyFrame !== isKeyFrame) return 'it makes key frames when it wants';
    if (isKeyFrame && !hasParameterSets(Buffer.from(data))) return 'its key frames lack parameter sets';
    made = Promise.withResolvers();
  }
  return null;
}

function hasParameterSets(data: Buffer): boolean {
  for (let at = data.indexOf(START_CODE); at !== -1; at = data.indexOf(START_CODE, at + 1)) {
    if ((data[at + START_CODE.length]! & 0x1f) === SPS) return true;
  }
  return false;
}

Log.setLevel(AV_LOG_ERROR);
const kind = process.argv[2] as HardwareKind | 'software';
try {
  const fault = await probe(kind === 'software' ? null : kind);
  if (fault !== null) console.error(fault);
  process.exit(fault === null ? 0 : 1);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
