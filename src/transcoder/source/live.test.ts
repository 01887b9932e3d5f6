import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { createSource } from './index.ts';

const nowUs = () => Math.round(performance.now() * 1_000);
const TS_PACKET_BYTES = 188;
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=160x112:rate=20:duration=1'];
const B_FRAMES = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '2', '-g', '10'];

describe('a live source that falls silent', { timeout: 20_000 }, () => {
  it('and ends shows nothing any more: what FFmpeg held back of it is old', async t => {
    const path = ffmpegFile(t, 'clip.ts', [...PICTURE, ...B_FRAMES]);
    const url = `exec:sh -c "cat ${path}; sleep 4"`;
    const source = await createSource({ url, loop: false, passThrough: false, nowUs, changed: () => undefined });
    const duesUs: number[] = [];
    const sink = frameSink({ video: (_, ptsUs) => duesUs.push(ptsUs), audio: () => undefined });
    await source.open();
    await source.play(sink, new AbortController().signal);
    await source.close();
    assert.ok(duesUs.length > 0, 'no picture');
    const longestUs = Math.max(...duesUs.slice(1).map((dueUs, index) => dueUs - duesUs[index]!));
    assert.ok(longestUs < 1_500_000, `a picture ${longestUs / 1_000} ms after the one before it`);
  });
});

describe('a live source that is joined between two key frames', { timeout: 20_000 }, () => {
  it('is heard from when it is seen, and not before', async t => {
    const sound = ['-f', 'lavfi', '-i', 'sine=frequency=1000:sample_rate=48000:duration=3'];
    const picture = PICTURE.map(word => word.replace('duration=1', 'duration=3'));
    const encode = [...B_FRAMES.slice(0, -1), '40', '-c:a', 'aac'];
    const path = ffmpegFile(t, 'clip.ts', [...picture, ...sound, ...encode]);
    const skipped = Math.floor(statSync(path).size / 4 / TS_PACKET_BYTES) * TS_PACKET_BYTES;
    const url = `exec:sh -c "tail -c +${skipped + 1} ${path}; sleep 4"`;
    const source = await createSource({ url, loop: false, passThrough: false, nowUs, changed: () => undefined });
    const ending = new AbortController();
    const first = { video: Number.NaN, audio: Number.NaN };
    const begin = (medium: 'video' | 'audio', ptsUs: number) => {
      if (Number.isNaN(first[medium])) first[medium] = ptsUs;
      if (!Number.isNaN(first.video) && !Number.isNaN(first.audio)) ending.abort();
    };
    const sink = frameSink({
      video: (_, ptsUs) => begin('video', ptsUs),
      audio: (_, ptsUs) => begin('audio', ptsUs),
    });
    await source.open();
    await source.play(sink, ending.signal);
    await source.close();
    const earlyMs = (first.video - first.audio) / 1_000;
    assert.ok(Math.abs(earlyMs) < 400, `the sound comes ${earlyMs} ms before the picture`);
  });
});
