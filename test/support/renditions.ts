import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Frame } from 'node-av/lib';
import { Renditions, type RenditionsOptions } from '../../src/transcoder/encode/index.ts';
import type { EncodedFrame } from '../../src/transcoder/encoded-frame.ts';
import { Canvas, pictureFrame } from '../../src/transcoder/picture/index.ts';
import type { VideoRendition } from '../../src/transcoder/wire.ts';

/** Renditions in software, whose encoders are never behind; what a test does not name it does not expect or need. */
export function testRenditions(options: Partial<RenditionsOptions>): Renditions {
  return new Renditions({
    onFrame: () => undefined,
    onError: (id, error) => assert.fail(`${id}: ${error.message}`),
    onHardwareFailed: reason => assert.fail(reason),
    hardware: null,
    nowUs: () => 0,
    load: { encoded: () => undefined, leftOut: () => undefined },
    ...options,
  });
}

export const SMALL: VideoRendition = {
  kind: 'video',
  codec: 'h264',
  packetizationMode: 1,
  width: 64,
  height: 48,
  frameRate: 30,
  bitrateBps: 200_000,
};
export const FRAME_US = 33_333;

/** A picture that no encoder can make small: every pixel is its own. */
export function noise(width: number, height: number, seed: number): Frame {
  const canvas = new Canvas(width, height);
  for (let at = 0, state = seed + 1; at < width * height; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    canvas.data[at] = 16 + ((state >> 16) % 220);
  }
  return pictureFrame(canvas);
}

/** Renditions whose frames can be waited for. */
export function playRenditions(t: TestContext, options: Partial<RenditionsOptions> = {}) {
  const frames = new Map<number, EncodedFrame[]>();
  const errors: string[] = [];
  let changed = Promise.withResolvers<void>();
  const renditions = testRenditions({
    onFrame: (id, frame) => {
      frames.set(id, [...(frames.get(id) ?? []), frame]);
      changed.resolve();
      changed = Promise.withResolvers();
    },
    onError: (id, { message }) => errors.push(`${id}: ${message}`),
    ...options,
  });
  t.after(() => renditions.close());
  const take = async (id: number, count: number) => {
    while ((frames.get(id)?.length ?? 0) < count) await changed.promise;
    return frames.get(id)!.splice(0, count);
  };
  /** Encodes one picture after the other; the queue of an encoder is short. */
  const show = async (
    id: number,
    count: number,
    options: { width?: number; height?: number; fromUs?: number } = {},
  ) => {
    const { width = 64, height = 48, fromUs = 0 } = options;
    const encoded: EncodedFrame[] = [];
    for (let index = 0; index < count; index++) {
      using frame = noise(width, height, index);
      renditions.video(frame, fromUs + index * FRAME_US);
      encoded.push(...(await take(id, 1)));
    }
    return encoded;
  };
  return { renditions, frames, errors, take, show };
}

/** The NAL units of an access unit in Annex B form; none ends with a zero, so a zero there is of the next start code. */
export function nalUnits(data: Uint8Array): Buffer[] {
  const [, ...units] = Buffer.from(data).toString('latin1').split('\0\0\u0001');
  return units.map(unit => Buffer.from(unit.endsWith('\0') ? unit.slice(0, -1) : unit, 'latin1'));
}

export const nalTypes = (data: Uint8Array) => nalUnits(data).map(unit => unit[0]! & 0x1f);
