/** Plays a file as a channel's transcoder does, and reads from what goes to the engine when each thing is due. */

import { AV_CODEC_ID_H264 } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { chooseVideo } from '../../../src/channels/index.ts';
import { Renditions } from '../../../src/transcoder/encode/index.ts';
import type { EncodedFrame } from '../../../src/transcoder/encoded-frame.ts';
import { createSource } from '../../../src/transcoder/source/index.ts';
import type { SourceInfo } from '../../../src/transcoder/wire.ts';
import { PatientClock } from '../../support/patient-clock.ts';

/** What viewers get; times in milliseconds from the first of it on. */
export interface Wire {
  readonly info: SourceInfo;
  /** Each picture, in its order. */
  readonly picturesAtMs: readonly number[];
  readonly size: { readonly width: number; readonly height: number } | null;
  /** When the white square appeared. */
  readonly flashesAtMs: readonly number[];
  /** When the tone began. */
  readonly beepsAtMs: readonly number[];
  readonly soundMs: number;
  /** From the first of it to the end. */
  readonly overMs: number;
}

const WISH = { codec: 'h264', packetizationMode: 1, maxLevelIdc: 31, profile: 'baseline' } as const;
const [VIDEO, AUDIO] = [1, 2];
/** Of the luma from 16 to 235. */
const WHITE = 150;
/** Of full scale 1; the tone has 0.25. */
const LOUD = 0.04;
const SAMPLE_RATE_HZ = 8_000;
const PACKET_MS = 20;
/** A tone that is silent for less goes on. */
const PAUSE_MS = 50;

export async function playOnWire(path: string, timeoutMs: number): Promise<Wire> {
  const clock = new PatientClock();
  const { nowUs } = clock;
  const frames: { readonly id: number; readonly frame: EncodedFrame }[] = [];
  const renditions = new Renditions({
    onFrame: (id, frame) => frames.push({ id, frame }),
    onError: (_id, error) => {
      throw error;
    },
    onHardwareFailed: () => undefined,
    hardware: null,
    nowUs,
    load: { encoded: () => undefined, leftOut: () => undefined },
  });
  const source = await createSource({ url: `file:${path}`, loop: false, passThrough: false, nowUs, changed: () => {} });
  try {
    const info = await source.open();
    if (info.video !== null) await renditions.start(VIDEO, chooseVideo(WISH, info.video));
    if (info.audio !== null) await renditions.start(AUDIO, { kind: 'audio', codec: 'pcma' });
    await source.play(renditions, AbortSignal.timeout(timeoutMs));
    const startUs = Math.min(...frames.map(({ frame }) => frame.ptsUs));
    const of = (id: number) => frames.filter(each => each.id === id).map(({ frame }) => frame);
    const { size, flashes } = readPictures(of(VIDEO));
    const ms = (us: number) => (us - startUs) / 1000;
    const pictures = of(VIDEO).map(({ ptsUs }) => ms(ptsUs));
    return {
      info,
      picturesAtMs: pictures,
      size,
      flashesAtMs: flashes.map(ms),
      beepsAtMs: readSound(of(AUDIO)).map(ms),
      soundMs: of(AUDIO).length * PACKET_MS,
      overMs: ms(nowUs()),
    };
  } finally {
    clock.stop();
    await source.close();
    await renditions.close();
  }
}

function readPictures(frames: readonly EncodedFrame[]) {
  const context = new CodecContext();
  const codec = Codec.findDecoder(AV_CODEC_ID_H264);
  context.allocContext3(codec);
  context.open2Sync(codec, null);
  using packet = new Packet();
  using picture = new Frame();
  picture.alloc();
  const flashes: number[] = [];
  let size: Wire['size'] = null;
  let wasFlash = false;
  try {
    for (const { data, ptsUs } of frames) {
      packet.alloc();
      packet.data = Buffer.from(data);
      packet.pts = BigInt(ptsUs);
      context.sendPacketSync(packet);
      packet.unref();
      while (context.receiveFrameSync(picture) >= 0) {
        const { width, height } = picture;
        size = { width, height };
        const middle = (height >> 1) * picture.linesize[0]! + (width >> 1);
        const isFlash = picture.data![0]![middle]! > WHITE;
        if (isFlash && !wasFlash) flashes.push(Number(picture.pts));
        wasFlash = isFlash;
      }
    }
  } finally {
    context.freeContext();
  }
  return { size, flashes };
}

function readSound(frames: readonly EncodedFrame[]): number[] {
  const beeps: number[] = [];
  let loudUs = Number.NEGATIVE_INFINITY;
  for (const { data, ptsUs } of frames) {
    for (const [index, byte] of data.entries()) {
      if (Math.abs(fromALaw(byte)) < LOUD) continue;
      const atUs = ptsUs + (index * 1_000_000) / SAMPLE_RATE_HZ;
      if (atUs - loudUs > PAUSE_MS * 1000) beeps.push(atUs);
      loudUs = atUs;
    }
  }
  return beeps;
}

/** ITU-T G.711, from -1 to 1. */
function fromALaw(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return ((code & 0x80) === 0 ? -magnitude : magnitude) / 32_768;
}
