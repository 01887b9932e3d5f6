import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { createSource } from './index.ts';

const nowUs = () => Math.round(performance.now() * 1_000);
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=160x112:rate=20:duration=1'];
const B_FRAMES = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '2', '-g', '10'];

describe('a live source that falls silent', { timeout: 20_000 }, () => {
  it('and ends shows nothing any more: what FFmpeg held back of it is old', async t => {
    const path = ffmpegFile(t, 'clip.ts', [...PICTURE, ...B_FRAMES]);
    const url = `exec:sh -c "cat ${path}; sleep 4"`;
    const source = await createSource({ url, loop: false, passThrough: false, nowUs, changed: () => undefined });
    const shownAtUs: number[] = [];
    const sink = frameSink({ video: () => shownAtUs.push(nowUs()), audio: () => undefined });
    await source.open();
    await source.play(sink, new AbortController().signal);
    await source.close();
    assert.ok(shownAtUs.length >= 10, `${shownAtUs.length} pictures`);
    const longestUs = Math.max(...shownAtUs.slice(1).map((atUs, index) => atUs - shownAtUs[index]!));
    assert.ok(longestUs < 1_000_000, `a picture ${longestUs / 1_000} ms after the one before it`);
  });
});
