/**
 * What a channel's transcoder costs: one H.264 rendition beside the ffmpeg command line with the same encoder settings in
 * the same seconds, the same for one viewer and for 500, and a channel that is passed through.
 */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SOFTWARE } from '../src/transcoder/encode/video-codecs.ts';
import { KEY_FRAME_INTERVAL_SECONDS } from '../src/transcoder/encode/video-encoder.ts';
import type { VideoRendition } from '../src/transcoder/index.ts';
import { find, missing } from '../test/interop/support/programs.ts';
import { until } from '../test/interop/support/until.ts';
import { BenchChannel } from './support/channel.ts';
import { median } from './support/distribution.ts';
import { processCpuMs } from './support/process-cpu.ts';

const ROUNDS = 7;
/** Rounds that do not count are made again, but not for ever. */
const MOST_TRIES = 3 * ROUNDS;
const ROUND_MS = 6_000;
/** A channel runs for hours: what its first seconds cost is not what it costs. */
const WARM_UP_MS = 10_000;
const SETTLE_MS = 2_000;
/** A thumbnail is made in each. */
const PASSED_ROUND_MS = 10_000;
/** Of the pictures of a round. Who leaves out more has not done the work, because others have the processor. */
const WHOLE = 0.97;
const MANY_VIEWERS = 500;
const FILM_SECONDS = 20;
const FRAME_RATE = 30;

const RENDITION: VideoRendition = {
  kind: 'video',
  codec: 'h264',
  packetizationMode: 1,
  width: 1280,
  height: 720,
  frameRate: FRAME_RATE,
  bitrateBps: 2_500_000,
};

/** Whoever makes frames, and what he has used for them. */
interface Maker {
  frames(): Promise<number>;
  readonly cpuMs: number;
  /** Is it at other work than what is measured. */
  readonly doesLess: boolean;
}

interface Measurement {
  readonly words: readonly string[];
  readonly value: number;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const absent = missing('ffmpeg');
  if (absent) {
    console.error(`this bench ${absent}`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'dialcast-bench-'));
  try {
    const ratio = await againstFfmpeg(folder);
    const viewers500Ratio = await withManyViewers(folder);
    const passthroughCorePercent = await passedThrough(folder);
    console.log(JSON.stringify({ ratio, viewers500Ratio, passthroughCorePercent }));
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Both at the same time, so that whatever else the machine does meets both alike. */
async function againstFfmpeg(folder: string): Promise<number> {
  const film = makeFilm(folder);
  const channel = await BenchChannel.open(`file:${film}`);
  const peer = startFfmpeg(film);
  try {
    await channel.watch(channel.encode(RENDITION), 1);
    await until('pictures of both', async () => (await channel.frames()) > 0 && (await peer.frames()) > 0, 20_000);
    await delay(WARM_UP_MS);
    console.log('one rendition of 1280x720 at 30 fps, ms of CPU for each second of media');
    return await medianOf('dialcast  ffmpeg  ratio', async () => {
      const [ours, theirs] = await costs(channel, peer);
      return { words: [ours, theirs].map(inMs), value: ours / theirs };
    });
  } finally {
    peer.stop();
    await channel.close();
  }
}

/** Each beside ffmpeg: what sending takes of the caches that the cores share, it takes of both. */
async function withManyViewers(folder: string): Promise<number> {
  const film = makeFilm(folder);
  const channel = await BenchChannel.open(`file:${film}`);
  const peer = startFfmpeg(film);
  try {
    const feed = channel.encode(RENDITION);
    await channel.watch(feed, 1);
    await until('pictures of both', async () => (await channel.frames()) > 0 && (await peer.frames()) > 0, 20_000);
    await delay(WARM_UP_MS);
    console.log('\nthe same with one viewer and with 500, in turn; in brackets ffmpeg at the same time');
    return await medianOf('one  500  thousand packets/s to 500  ratio', async () => {
      const one = await costs(channel, peer);
      const leave = await channel.watch(feed, MANY_VIEWERS - 1);
      await delay(SETTLE_MS);
      const before = await channel.packetsSent();
      const many = await costs(channel, peer);
      const kpps = ((await channel.packetsSent()) - before) / ROUND_MS;
      await leave();
      await delay(SETTLE_MS);
      const words = [one, many].map(([ours, theirs]) => `${inMs(ours)} (${inMs(theirs)})`);
      return { words: [...words, kpps.toFixed(1)], value: many[0] / many[1] / (one[0] / one[1]) };
    });
  } finally {
    peer.stop();
    await channel.close();
  }
}

/** A live stream over UDP with picture and sound that viewers take, thumbnails and all; percent of a core. */
async function passedThrough(folder: string): Promise<number> {
  const film = makeFilm(folder, ['-bf', '0', '-g', `${FRAME_RATE}`, '-sc_threshold', '0']);
  const port = 21_999;
  const output = ['-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`];
  const input = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', film];
  const sender = spawn(find('ffmpeg')!, [...input, '-c', 'copy', ...output], { stdio: 'ignore' });
  try {
    const channel = await BenchChannel.open(`udp://127.0.0.1:${port}`);
    try {
      await until('both to be passed through', () => isPassed(channel), 20_000);
      const { video, audio } = channel.info;
      await channel.watch(channel.encode({ ...RENDITION, passThrough: video!.passThrough! }), 1);
      channel.encode({ kind: 'audio', codec: 'opus', passThrough: audio!.passThrough! });
      await until('packets', async () => (await channel.packetsSent()) > 0, 20_000);
      await delay(WARM_UP_MS);
      console.log('\na channel that is passed through');
      return await medianOf('percent of a core', async () => {
        const beforeMs = channel.cpuMs;
        await delay(PASSED_ROUND_MS);
        return { words: [], value: ((channel.cpuMs - beforeMs) / PASSED_ROUND_MS) * 100 };
      });
    } finally {
      await channel.close();
    }
  } finally {
    sender.kill('SIGKILL');
  }
}

function isPassed({ info: { video, audio } }: BenchChannel): boolean {
  return [video, audio].every(medium => medium?.passThrough !== undefined && medium.obstacle === undefined);
}

/** Repeats a measurement, NaN when it does not count, and returns the median. */
async function medianOf(head: string, measure: () => Promise<Measurement>): Promise<number> {
  console.log(`round  ${head}`);
  const values: number[] = [];
  for (let round = 1; round <= MOST_TRIES && values.length < ROUNDS; round++) {
    const { words, value } = await measure();
    const isWhole = !Number.isNaN(value);
    console.log([round, ...words, isWhole ? value.toFixed(3) : 'pictures were left out: not counted'].join('  '));
    if (isWhole) values.push(value);
  }
  if (values.length < ROUNDS / 2) throw new Error('others have the processor: nothing can be told of this machine now');
  return Number(median(values).toFixed(3));
}

/** Milliseconds of CPU for each second of media, of both in the same time; NaN of one who left out pictures. */
async function costs(...makers: readonly [Maker, Maker]): Promise<[number, number]> {
  const look = () =>
    Promise.all(
      makers.map(async maker => ({ frames: await maker.frames(), cpuMs: maker.cpuMs, atMs: performance.now() })),
    );
  const before = await look();
  await delay(ROUND_MS);
  const after = await look();
  const [ours = Number.NaN, theirs = Number.NaN] = after.map((end, index) => {
    const start = before[index]!;
    const seconds = (end.frames - start.frames) / FRAME_RATE;
    const isWhole = seconds * 1000 >= (end.atMs - start.atMs) * WHOLE && !makers[index]!.doesLess;
    return isWhole ? (end.cpuMs - start.cpuMs) / seconds : Number.NaN;
  });
  return [ours, theirs];
}

function inMs(cost: number): string {
  return Number.isNaN(cost) ? '-' : cost.toFixed(0);
}

/** A film as most are, with B-frames unless `encode` says otherwise. */
function makeFilm(folder: string, encode: readonly string[] = []): string {
  const film = join(folder, `film${encode.length}.mkv`);
  const picture = `mandelbrot=size=1280x720:rate=${FRAME_RATE}:end_scale=0.01`;
  const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const video = ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '3M', '-pix_fmt', 'yuv420p', ...encode];
  const args = [...inputs, ...video, '-c:a', 'libopus', '-t', `${FILM_SECONDS}`, film];
  execFileSync(find('ffmpeg')!, ['-v', 'error', '-nostdin', '-y', ...args]);
  return film;
}

/** Debian's ffmpeg at the same work: reads in real time, decodes, encodes as we do, and throws it away. */
function startFfmpeg(film: string): Maker & { stop(): void } {
  const { name, options } = SOFTWARE.h264;
  const rate = `${RENDITION.bitrateBps}`;
  const encoder = Object.entries(options(RENDITION, 'full')).flatMap(([option, value]) => [
    `-${option}`,
    String(value),
  ]);
  const args = [
    ...['-v', 'error', '-nostdin', '-progress', 'pipe:1', '-stats_period', '0.1'],
    ...['-re', '-stream_loop', '-1', '-threads', '2', '-i', film, '-an', '-c:v', name, ...encoder],
    ...['-b:v', rate, '-maxrate', rate, '-bufsize', rate, '-g', `${FRAME_RATE * KEY_FRAME_INTERVAL_SECONDS}`],
    ...['-threads', '1', '-f', 'null', '-'],
  ];
  const ffmpeg = spawn(find('ffmpeg')!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let frames = 0;
  ffmpeg.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const [, count] of text.matchAll(/^frame=\s*(\d+)/gm)) frames = Number(count);
  });
  return {
    frames: async () => frames,
    doesLess: false,
    get cpuMs() {
      return processCpuMs(ffmpeg.pid!);
    },
    stop: () => void ffmpeg.kill('SIGKILL'),
  };
}
