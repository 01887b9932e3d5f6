import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { writeMedia } from '../../../test/support/media-files.ts';
import type { SourceInfo } from '../wire.ts';
import { createSource } from './index.ts';

const nowUs = () => Math.round(performance.now() * 1_000);
const FRAME_US = 50_000;

const picture = (seconds: number) => ['-f', 'lavfi', '-i', `testsrc2=size=160x112:rate=20:duration=${seconds}`];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-sc_threshold', '0'];
const FINE = [...X264, '-bf', '0', '-g', '10'];

interface Seen {
  readonly atUs: number;
  readonly ptsUs: number;
}

/** Plays a file to its end: what came of it, and when. `needs` says whether frames are needed, by what has come. */
async function play(path: string, needs: (packets: number) => boolean, passThrough = true) {
  const frames: Seen[] = [];
  const packets: (Seen & { readonly keyFrame: boolean })[] = [];
  const said: string[] = [];
  const told = (info: SourceInfo) => said.push(info.video?.obstacle ?? `passes ${info.video?.passThrough?.codec}`);
  const source = await createSource({ url: `file:${path}`, loop: false, passThrough, nowUs, changed: told });
  told(await source.open());
  const startedUs = nowUs();
  await source.play(
    {
      video: (_, ptsUs) => frames.push({ atUs: nowUs(), ptsUs }),
      audio: () => undefined,
      late: () => undefined,
      needsFrames: () => needs(packets.length),
      passes: (_, make) => said.push(`packets: ${make?.codec ?? 'none'}`),
      packet: (_, { keyFrame, ptsUs }) => packets.push({ atUs: nowUs(), ptsUs, keyFrame }),
    },
    new AbortController().signal,
  );
  await source.close();
  return { frames, packets, said, seconds: (nowUs() - startedUs) / 1_000_000 };
}

/** Two films in one, one after the other. */
function joined(t: TestContext, ...films: readonly (readonly string[])[]): string {
  const parts = films.map(args => readFileSync(ffmpegFile(t, 'part.ts', args)));
  return writeMedia(t, 'joined.ts', Buffer.concat(parts));
}

describe('a film that viewers take as it is', { timeout: 30_000 }, () => {
  it('comes as packets when they are due, and is not decoded for nobody', async t => {
    const { frames, packets, said, seconds } = await play(ffmpegFile(t, 'a.ts', [...picture(2), ...FINE]), () => false);
    assert.equal(frames.length, 0);
    // What was to be seen first is whether there is a second key frame soon.
    assert.deepEqual([packets.length, packets[0]?.keyFrame], [30, true]);
    assert.deepEqual(said, [
      'it is not yet known whether it can be passed through',
      'passes h264',
      'packets: h264',
      'packets: none',
    ]);
    for (const [index, { atUs, ptsUs }] of packets.entries()) {
      assert.ok(Math.abs(ptsUs - packets[0]!.ptsUs - index * FRAME_US) <= 12, `${ptsUs}`);
      assert.ok(atUs >= ptsUs, `${ptsUs - atUs} us too early`);
    }
    assert.ok(seconds > 1.9, `${seconds} s`);
  });

  it('comes as pictures too, while somebody needs them', async t => {
    const { frames, packets } = await play(ffmpegFile(t, 'a.ts', [...picture(2), ...FINE]), () => true);
    assert.deepEqual([frames.length, packets.length], [40, 30]);
  });

  it('comes as pictures alone when the configuration wants it so', async t => {
    const file = ffmpegFile(t, 'a.ts', [...picture(1), ...FINE]);
    const { frames, packets, said } = await play(file, () => true, false);
    assert.deepEqual([frames.length, packets.length, said], [20, 0, ['the configuration has it encoded']]);
  });

  it('comes as packets no more when there are B-frames in them', async t => {
    const path = joined(t, [...picture(2), ...FINE], [...picture(1), ...X264, '-bf', '2', '-g', '10']);
    const { packets, said } = await play(path, () => false);
    assert.deepEqual(said.slice(-3), ['packets: h264', 'it has B-frames', 'packets: none']);
    assert.ok(packets.length >= 30 && packets.length < 36, `${packets.length}`);
  });
});

describe('when pictures are needed that were not', { timeout: 30_000 }, () => {
  it('there is one at once, in the middle of a group, and each after it', async t => {
    const wantedUs = nowUs() + 1_500_000;
    const file = ffmpegFile(t, 'a.ts', [...picture(4), ...X264, '-bf', '2', '-g', '1000']);
    let neededUs = 0;
    const needs = () => {
      if (nowUs() < wantedUs) return false;
      neededUs ||= nowUs();
      return true;
    };
    const { frames } = await play(file, needs);
    const [first] = frames;
    assert.ok(first !== undefined && first.atUs - neededUs < 500_000, `${first!.atUs - neededUs} us`);
    assert.ok(first.ptsUs - neededUs > -300_000, `of ${neededUs - first.ptsUs} us before`);
    for (const [index, { ptsUs }] of frames.entries()) {
      assert.ok(Math.abs(ptsUs - first.ptsUs - index * FRAME_US) <= 12, `${ptsUs - first.ptsUs}`);
    }
  });
});
