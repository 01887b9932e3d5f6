import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Frame } from 'node-av/lib';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { PatientClock } from '../../../test/support/patient-clock.ts';
import { createSource } from './index.ts';

const MPEG2 = ['-t', '1', '-c:v', 'mpeg2video', '-b:v', '4M'];
/** A white bar that moves by 8 pixels in each of 50 pictures a second. */
const MOVING = [
  ...['-f', 'lavfi', '-i', 'color=black:size=320x160:rate=50'],
  ...['-f', 'lavfi', '-i', 'color=white:size=24x160:rate=50'],
];
const MOVE = "overlay=x='mod(n*8,290)'";
const LEFT = ['-f', 'lavfi', '-i', 'color=black:size=320x160:rate=25,drawbox=c=white:t=fill:w=80'];

/** Plays a file; what its pictures are said to be, and each of them with its time from the first on. */
async function play(t: TestContext, name: string, args: readonly string[], take: (frame: Frame) => void) {
  const clock = new PatientClock();
  const { nowUs } = clock;
  const source = await createSource({
    url: `file:${ffmpegFile(t, name, args)}`,
    loop: false,
    passThrough: true,
    nowUs,
    changed: () => undefined,
  });
  const { video } = await source.open();
  const timesUs: number[] = [];
  const sink = frameSink({
    video: (frame, ptsUs) => {
      timesUs.push(ptsUs);
      take(frame);
    },
    audio: () => undefined,
  });
  await source.play(sink, new AbortController().signal);
  await source.close();
  clock.stop();
  return { video, ms: timesUs.map(us => Math.round((us - timesUs[0]!) / 1000)) };
}

const luma = (frame: Frame, x: number, y: number) => frame.data![0]![y * frame.linesize[0]! + x]!;

describe('pictures', { timeout: 30_000 }, () => {
  for (const [name, filter, flags, isWhole] of [
    ['that are said to be interlaced are made whole', 'tinterlace=interleave_top', ['-flags', '+ildct+ilme'], true],
    ['that are not are left as they are', 'tinterlace=interleave_top,setfield=prog', [], false],
  ] as const) {
    it(`${name}, each at its time`, async t => {
      const steps: number[] = [];
      const { ms } = await play(
        t,
        'a.ts',
        [...MOVING, '-filter_complex', `${MOVE},${filter}`, ...MPEG2, ...flags],
        frame => {
          const step = (x: number) => Math.abs(luma(frame, x, 80) - luma(frame, x, 81));
          steps.push(Math.max(...Array.from({ length: 320 }, (_, x) => step(x))));
        },
      );
      assert.deepEqual(
        ms,
        Array.from({ length: 25 }, (_, index) => index * 40),
      );
      // Every other line is of a moment later, and the edges of the bar are combs.
      const combed = steps.filter(step => step > 150).length;
      assert.ok(isWhole ? combed <= 1 : combed >= 24, `${combed} of ${steps.length}`);
    });
  }

  it('of a phone that was held upright are turned', async t => {
    const sideways = ffmpegFile(t, 'a.mp4', [...LEFT, '-t', '0.4', '-pix_fmt', 'yuv420p']);
    const seen: number[][] = [];
    const turn = ['-i', sideways, '-c', 'copy', '-metadata:s:v:0', 'rotate=90'];
    const { video } = await play(t, 'b.mp4', turn, frame => {
      seen.push([frame.width, frame.height, luma(frame, 80, 20), luma(frame, 80, 300)]);
    });
    assert.deepEqual([video?.width, video?.height, video?.obstacle], [160, 320, 'its pictures are to be turned']);
    const [[width, height, top, bottom] = []] = seen;
    // What was at the left is at the bottom.
    assert.deepEqual([width, height, top! < 50, bottom! > 200], [160, 320, true, true]);
  });

  it('whose pixels are not square are told as they are shown', async t => {
    const args = [...LEFT, '-vf', 'setsar=3/2', '-t', '0.4', '-pix_fmt', 'yuv420p'];
    const aspects: number[] = [];
    const { video } = await play(t, 'a.mkv', args, ({ sampleAspectRatio: { num, den } }) => aspects.push(num / den));
    assert.deepEqual([video?.width, video?.height, video?.obstacle], [480, 160, 'its pixels are not square']);
    assert.ok(aspects.length > 5 && aspects.every(aspect => aspect === 1.5), `${aspects}`);
  });

  it('whose pixels are said to be a thousand times as wide as high are not believed', async t => {
    const args = [...LEFT, '-vf', 'setsar=1000/1', '-t', '0.4', '-pix_fmt', 'yuv420p'];
    const { video } = await play(t, 'a.mkv', args, () => undefined);
    assert.deepEqual([video?.width, video?.height], [320, 160]);
  });
});
