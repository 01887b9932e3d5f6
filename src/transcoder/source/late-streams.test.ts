import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { writeMedia } from '../../../test/support/media-files.ts';
import type { SourceInfo } from '../wire.ts';
import { createSource } from './index.ts';

const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1000);

/** Longer than FFmpeg looks at a stream before it says what there is. */
const WELL_AFTER = 8;
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=10'];
const LARGER = ['-f', 'lavfi', '-i', 'testsrc=size=96x64:rate=10'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=500'];
const TS = ['-c:v', 'mpeg2video', '-c:a', 'mp2', '-f', 'mpegts'];
const pieces = (t: TestContext, ...all: readonly (readonly string[])[]) =>
  Buffer.concat(all.map(args => readFileSync(ffmpegFile(t, 'piece.ts', [...args, ...TS]))));

/** What a source is said to have, first and last, and when the first picture and sound of it are due. */
async function play(t: TestContext, content: Buffer, audioLanguage: string | null = null) {
  const told: SourceInfo[] = [];
  const first = { video: 0, audio: 0 };
  const url = `file:${writeMedia(t, 'late.ts', content)}`;
  const tracks = { audioLanguage, subtitles: null };
  const source = await createSource({
    url,
    loop: false,
    tracks,
    passThrough: false,
    nowUs,
    changed: i => told.push(i),
  });
  const opened = await source.open();
  const sink = frameSink({
    video: (_, ptsUs) => {
      first.video ||= ptsUs;
    },
    audio: (_, ptsUs) => {
      first.audio ||= ptsUs;
    },
  });
  await source.play(sink, new AbortController().signal);
  await source.close();
  return { opened, last: told.at(-1), soundAfterMs: (first.audio - first.video) / 1000 };
}

describe('a stream that appears late', { timeout: 60_000 }, () => {
  it('is told of and played, at its time', async t => {
    const alone = [...PICTURE, '-t', `${WELL_AFTER}`, '-output_ts_offset', '10'];
    const both = [...PICTURE, ...SOUND, '-t', '1', '-output_ts_offset', `${10 + WELL_AFTER}`];
    const { opened, last, soundAfterMs } = await play(t, pieces(t, alone, both));
    assert.deepEqual([opened.video?.width, opened.audio], [64, null]);
    assert.deepEqual([last?.video?.width, last?.audio?.sampleRateHz], [64, 44_100]);
    assert.ok(Math.abs(soundAfterMs - WELL_AFTER * 1000) < 100, `${soundAfterMs} ms`);
  });
});

describe('a source that changes', { timeout: 60_000 }, () => {
  it('tells of the other size of its pictures', async t => {
    const small = [...PICTURE, '-t', '1', '-output_ts_offset', '10'];
    const large = [...LARGER, '-t', '1', '-output_ts_offset', '11'];
    const { opened, last } = await play(t, pieces(t, small, large));
    assert.deepEqual([opened.video?.width, opened.video?.height], [64, 48]);
    assert.deepEqual([last?.video?.width, last?.video?.height], [96, 64]);
  });
});
