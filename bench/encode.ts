/**
 * What a channel's transcoder costs: one H.264 rendition beside the ffmpeg command line with the same encoder settings in
 * the same seconds, the same for one viewer and for 500, and a channel that is passed through.
 */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ENCODERS, KEY_FRAME_INTERVAL_SECONDS } from '../src/transcoder/encode/video-encoder.ts';
import type { VideoRendition } from '../src/transcoder/index.ts';
import { find, missing } from '../test/interop/support/programs.ts';
import { until } from '../test/interop/support/until.ts';
import { BenchChannel } from './support/channel.ts';
import { median } from './support/distribution.ts';
import { processCpuMs } from './support/process-cpu.ts';

const ROUNDS = 5;
const ROUND_MS = 6_000;
const SETTLE_MS = 2_000;
const PASSED_MS = 30_000;
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
    await delay(SETTLE_MS);
    console.log('one rendition of 1280x720 at 30 fps, ms of CPU for each second of media');
    console.log('round  dialcast  ffmpeg  ratio');
    const ratios: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const [ours = Number.NaN, theirs = Number.NaN] = await costs(channel, peer);
      ratios.push(ours / theirs);
      console.log(`${round}  ${ours.toFixed(0)}  ${theirs.toFixed(0)}  ${(ours / theirs).toFixed(3)}`);
    }
    return Number(median(ratios).toFixed(3));
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
    console.log('\nthe same with one viewer and with 500, in turn; in brackets ffmpeg at the same time');
    console.log('round  one  500  ratio  thousand packets/s to 500');
    const ratios: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      await delay(SETTLE_MS);
      const one = await costs(channel, peer);
      const leave = await channel.watch(feed, MANY_VIEWERS - 1);
      await delay(SETTLE_MS);
      const before = await channel.packetsSent();
      const many = await costs(channel, peer);
      const kpps = ((await channel.packetsSent()) - before) / ROUND_MS;
      await leave();
      const ratio = many[0]! / many[1]! / (one[0]! / one[1]!);
      ratios.push(ratio);
      const words = [one, many].map(([ours, theirs]) => `${ours!.toFixed(0)} (${theirs!.toFixed(0)})`);
      console.log(`${round}  ${words.join('  ')}  ${ratio.toFixed(3)}  ${kpps.toFixed(1)}`);
    }
    return Number(median(ratios).toFixed(3));
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
      await delay(SETTLE_MS);
      const beforeMs = channel.cpuMs;
      await delay(PASSED_MS);
      const percent = ((channel.cpuMs - beforeMs) / PASSED_MS) * 100;
      console.log(`\na channel that is passed through: ${percent.toFixed(2)} % of a core`);
      return Number(percent.toFixed(2));
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

/** Milliseconds of CPU for each second of media, of each in the same time. */
async function costs(...makers: readonly Maker[]): Promise<number[]> {
  const look = () => Promise.all(makers.map(async maker => ({ frames: await maker.frames(), cpuMs: maker.cpuMs })));
  const before = await look();
  await delay(ROUND_MS);
  const after = await look();
  return after.map(({ frames, cpuMs }, index) => {
    const start = before[index]!;
    return ((cpuMs - start.cpuMs) / (frames - start.frames)) * FRAME_RATE;
  });
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
  const { name, options } = ENCODERS.h264;
  const rate = `${RENDITION.bitrateBps}`;
  const encoder = Object.entries(options(RENDITION)).flatMap(([option, value]) => [`-${option}`, String(value)]);
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
    get cpuMs() {
      return processCpuMs(ffmpeg.pid!);
    },
    stop: () => void ffmpeg.kill('SIGKILL'),
  };
}
