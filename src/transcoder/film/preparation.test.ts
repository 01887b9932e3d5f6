import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { writeMedia } from '../../../test/support/media-files.ts';
import type { RenditionSpec } from '../wire.ts';
import { lookAt, type PreparationMessage, startPreparation } from './index.ts';
import { readSegment, readSegmentCount } from './rendition-folder.ts';

const SECONDS = 7;
const SEGMENTS = 4;
const TRACKS = { audioLanguage: null, subtitles: null };
const H264: RenditionSpec = {
  kind: 'video',
  codec: 'h264',
  packetizationMode: 1,
  width: 320,
  height: 180,
  /** Half of the source's. */
  frameRate: 25,
  bitrateBps: 200_000,
};
const VP8: RenditionSpec = { ...H264, codec: 'vp8' };
const OPUS: RenditionSpec = { kind: 'audio', codec: 'opus' };

/** As films are: B-frames, key frames where they please, sound in frames of no whole number of milliseconds. */
function makeFilm(path: string): void {
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=50'];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
  const encode = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '170', '-c:a', 'aac'];
  execFileSync('ffmpeg', ['-v', 'error', ...picture, ...sound, ...encode, '-t', `${SECONDS}`, path]);
}

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dialcast-prepared-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'rendition');
}

/** Runs a process to its end, or kills it when it has so many segments; what it said, or how it died. */
function run(path: string, make: { folder: string; rendition: RenditionSpec } | null, killAt = Number.NaN) {
  const { promise, resolve } = Promise.withResolvers<PreparationMessage[] | string>();
  const said: PreparationMessage[] = [];
  const running = startPreparation({
    task: { path, tracks: TRACKS, make },
    onMessage: message => {
      said.push(message);
      if (message.type !== 'segments') resolve(said);
      else if (message.segments === killAt) process.kill(running.pid!, 'SIGKILL');
    },
    onDied: resolve,
  });
  return promise;
}

async function timesOf(folder: string): Promise<number[]> {
  const times: number[] = [];
  for (let segment = 0; ; segment++) {
    const frames = await readSegment(folder, segment);
    if (frames === null) return times;
    assert.equal(frames[0]?.keyFrame, true, `segment ${segment}`);
    assert.ok(frames.every(({ ptsUs }) => Math.floor(ptsUs / 2_000_000) === segment));
    times.push(...frames.map(({ ptsUs }) => ptsUs));
  }
}

describe('preparing a film', { timeout: 120_000 }, () => {
  const films = mkdtempSync(join(tmpdir(), 'dialcast-films-'));
  const path = join(films, 'film.mkv');
  before(() => makeFilm(path));
  after(() => rmSync(films, { recursive: true }));

  for (const [rendition, stepUs] of [
    [H264, 40_000],
    [VP8, 40_000],
    [OPUS, 20_000],
  ] as const) {
    it(`goes on after kill -9 with ${rendition.codec} as if there had been none`, async t => {
      const folder = await emptyFolder(t);
      assert.equal(await run(path, { folder, rendition }, 2), 'SIGKILL');
      const before = await lookAt(folder);
      assert.ok(before !== null && !before.isWhole && before.segments >= 2, JSON.stringify(before));
      const first = readFileSync(join(folder, '000000.frames'));
      // Of a write that was under way.
      writeFileSync(join(folder, '000009.frames.1.part'), 'half');
      const said = await run(path, { folder, rendition });
      assert.ok(Array.isArray(said));
      assert.deepEqual(said[0], { type: 'segments', segments: before.segments, bytes: 0 });
      assert.deepEqual(said.at(-1), { type: 'whole', segments: SEGMENTS });
      assert.equal(said.length, SEGMENTS - before.segments + 2);
      assert.ok(first.equals(readFileSync(join(folder, '000000.frames'))));
      assert.equal(await readSegmentCount(folder), SEGMENTS);
      const times = await timesOf(folder);
      const steps = new Set(times.slice(1).map((time, index) => time - times[index]!));
      const isEven = [...steps].every(step => Math.abs(step - stepUs) <= 1_000);
      assert.ok(isEven && times.length >= (SECONDS * 1_000_000) / stepUs - 2, `${times.length}: ${[...steps]}`);
    });
  }

  it('reads a file from its start in which nothing can be found', async t => {
    // Raw H.264 has no times to seek to.
    const picture = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25', '-t', '5'];
    const raw = ffmpegFile(t, 'film.h264', [...picture, '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0']);
    const whole = await emptyFolder(t);
    await run(raw, { folder: whole, rendition: H264 });
    const folder = await emptyFolder(t);
    await run(raw, { folder, rendition: H264 }, 1);
    await run(raw, { folder, rendition: H264 });
    assert.deepEqual(await timesOf(folder), await timesOf(whole));
  });

  it('is done at once when all of it is there', async t => {
    const folder = await emptyFolder(t);
    await run(path, { folder, rendition: OPUS });
    assert.deepEqual(await run(path, { folder, rendition: OPUS }), [
      { type: 'segments', segments: SEGMENTS, bytes: 0 },
      { type: 'whole', segments: SEGMENTS },
    ]);
  });

  it('says what a film is', async () => {
    const said = await run(path, null);
    assert.ok(Array.isArray(said) && said[0]?.type === 'film');
    const { durationUs, info } = said[0];
    assert.ok(Math.abs(durationUs - SECONDS * 1_000_000) < 100_000, `${durationUs}`);
    assert.deepEqual([info.video?.width, info.video?.height, info.audio?.sampleRateHz], [320, 180, 44_100]);
  });

  for (const [name, content, reason] of [
    ['is no film', 'nothing of the kind', /Invalid data/],
    ['has no sound for a rendition of it', null, /no audio in it/],
  ] as const) {
    it(`says why not when a file ${name}`, async t => {
      const silent = ['-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=25', '-t', '1'];
      const file = content === null ? ffmpegFile(t, 'film.mkv', silent) : writeMedia(t, 'film.mkv', content);
      const said = await run(file, { folder: await emptyFolder(t), rendition: OPUS });
      const last = Array.isArray(said) ? said.at(-1) : undefined;
      assert.ok(last?.type === 'failed');
      assert.match(last.reason, reason);
    });
  }
});
