import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FormatContext, Packet } from 'node-av/lib';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import type { EncodedFrame } from '../encoded-frame.ts';
import type { Verdict } from '../wire.ts';
import { createPassage } from './index.ts';
import { splitNalUnits } from './nal-units.ts';

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=192x144:rate=10:duration=4'];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

/** What a real file's first stream is passed on as, and the verdicts on the way. */
async function pass(t: TestContext, name: string, args: readonly string[]) {
  const path = ffmpegFile(t, name, args);
  const format = new FormatContext();
  assert.ok((await format.openInput(path)) >= 0);
  await format.findStreamInfo();
  const stream = format.streams[0]!;
  const passage = createPassage(stream.codecpar, 'something');
  const frames: EncodedFrame[] = [];
  const verdicts: Verdict[] = ['take' in passage ? passage.verdict : passage];
  using packet = new Packet();
  packet.alloc();
  while ((await format.readFrame(packet)) >= 0) {
    if (!('take' in passage)) break;
    const { num, den } = stream.timeBase;
    const frame = passage.take(packet.data!, Math.round((Number(packet.pts) * num * 1_000_000) / den));
    if (frame !== null) frames.push(frame);
    verdicts.push(passage.verdict);
    packet.unref();
  }
  await format.closeInput();
  return { frames, first: verdicts[0]!, last: verdicts.at(-1)! };
}

const types = ({ data }: EncodedFrame) => splitNalUnits(Buffer.from(data), null).map(unit => unit[0]! & 0x1f);

describe('H.264 is passed through', { timeout: 60_000 }, () => {
  for (const container of ['ts', 'mp4', 'mkv', 'flv']) {
    it(`from ${container}: parameter sets before each IDR picture, slices, and nothing else`, async t => {
      const { frames, first, last } = await pass(t, `a.${container}`, [
        ...PICTURE,
        ...X264,
        '-bf',
        '0',
        '-g',
        '10',
        '-aud',
        '1',
      ]);
      const passThrough = { codec: 'h264', profile: 'baseline', levelIdc: 11 } as const;
      assert.deepEqual(first.passThrough, passThrough);
      assert.notEqual(first.obstacle, undefined);
      assert.deepEqual(last, { passThrough });
      assert.deepEqual(
        frames.map(({ keyFrame }) => keyFrame),
        Array.from({ length: 40 }, (_, index) => index % 10 === 0),
      );
      for (const frame of frames) assert.deepEqual(types(frame), frame.keyFrame ? [7, 8, 5] : [1]);
    });
  }

  for (const [name, args, expected] of [
    ['of the Main profile', ['-profile:v', 'main', '-coder', '1', '-bf', '0', '-g', '20'], 'main'],
    ['of the High profile', ['-profile:v', 'high', '-x264-params', '8x8dct=1', '-bf', '0', '-g', '20'], 'high'],
  ] as const) {
    it(`when it is ${name}`, async t => {
      const { last } = await pass(t, 'a.mp4', [...PICTURE, ...X264, ...args]);
      assert.deepEqual(
        [last.passThrough?.codec === 'h264' && last.passThrough.profile, last.obstacle],
        [expected, undefined],
      );
    });
  }

  for (const [name, args, obstacle] of [
    ['B-frames', ['-bf', '2', '-g', '10'], 'it has B-frames'],
    ['key frames that are far apart', ['-bf', '0', '-g', '40'], 'its key frames are more than 2.5 s apart'],
    ['interlaced pictures', ['-bf', '0', '-g', '10', '-flags', '+ildct'], 'it is interlaced'],
    ['10 bits', ['-bf', '0', '-g', '10', '-pix_fmt', 'yuv420p10le'], 'its pictures are not of 8 bits in 4:2:0'],
    ['4:4:4', ['-bf', '0', '-g', '10', '-pix_fmt', 'yuv444p'], 'its pictures are not of 8 bits in 4:2:0'],
  ] as const) {
    it(`but not with ${name}`, async t => {
      const { last } = await pass(t, 'a.ts', [...PICTURE, ...X264, ...args]);
      assert.deepEqual(last, { obstacle });
    });
  }
});

describe('other codecs', { timeout: 60_000 }, () => {
  it('VP8 is passed through as it is', async t => {
    const args = [...PICTURE, '-c:v', 'libvpx', '-deadline', 'realtime', '-g', '10', '-auto-alt-ref', '0'];
    const { frames, last } = await pass(t, 'a.webm', args);
    assert.deepEqual(last, { passThrough: { codec: 'vp8' } });
    assert.deepEqual(
      frames.slice(0, 11).map(({ keyFrame }) => keyFrame),
      [true, false, false, false, false, false, false, false, false, false, true],
    );
  });

  it('Opus is passed through from MPEG-TS as from Matroska', async t => {
    const args = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=1:sample_rate=48000', '-c:a', 'libopus'];
    const [ts, mkv] = [await pass(t, 'a.ts', args), await pass(t, 'a.mkv', args)];
    assert.deepEqual(ts.last, { passThrough: { codec: 'opus' } });
    assert.deepEqual(
      ts.frames.map(({ data }) => data),
      mkv.frames.map(({ data }) => data),
    );
  });

  it('MPEG-2 is not', async t => {
    assert.deepEqual((await pass(t, 'a.ts', [...PICTURE, '-c:v', 'mpeg2video'])).last, {
      obstacle: 'viewers do not take something',
    });
  });
});
