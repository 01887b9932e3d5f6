/**
 * A film of ten minutes: it is prepared, with kill -9 in the middle; 200 viewers watch it, each at a place of his own, on
 * one core; and one in Chromium moves about in it.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { stringify } from 'yaml';
import { lookAt } from '../src/transcoder/index.ts';
import { launchChromium } from '../test/interop/support/browser.ts';
import { HOST, OUTSIDE } from '../test/interop/support/network.ts';
import { missing } from '../test/interop/support/programs.ts';
import { DialcastServer } from '../test/interop/support/server.ts';
import { timeOnScreen } from '../test/interop/support/testcard-probe.ts';
import { USUAL, writeTestcard } from '../test/interop/support/testcard-stream.ts';
import { until } from '../test/interop/support/until.ts';
import { quantile } from './support/distribution.ts';
import { crowd, type Prepared } from './support/film-crowd.ts';

const FILM_SECONDS = 600;
const VIEWERS = 200;
const SPACING_US = 2_700_000;
const RUN_MS = 30_000;
const SEEKS = 40;
const SEGMENT_MS = 2_000;
/** Coprime to the number of segments, so that each seek goes somewhere else, forth and back. */
const SEEK_STEP_MS = 187_000;
const DIALCAST = fileURLToPath(new URL('../bin/dialcast', import.meta.url));

process.exitCode = OUTSIDE ? enterNetwork() : await main();

/** Runs this bench again inside a network namespace of its own. */
function enterNetwork(): number {
  if (process.getuid?.() !== 0) {
    console.error('this bench needs a network namespace: run it as root, or behind `unshare --net scripts/network.sh`');
    return 2;
  }
  const network = fileURLToPath(new URL('../scripts/network.sh', import.meta.url));
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  return spawnSync('unshare', ['--net', network, ...again], { stdio: 'inherit' }).status ?? 1;
}

async function main(): Promise<number> {
  const absent = missing('chromium', 'ffmpeg', 'taskset');
  if (absent) {
    console.error(`this bench ${absent}`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'dialcast-bench-'));
  try {
    const film = join(folder, 'film.ts');
    console.log(`making a film of ${FILM_SECONDS} s`);
    await writeTestcard(film, { seconds: FILM_SECONDS, encode: USUAL });
    const config = {
      channels: [{ number: 1, name: 'film', title: 'Film', source: `file:${film}`, film: true }],
      cache: { folder: join(folder, 'cache') },
    };
    const seconds = await prepareKilled(folder, config);
    console.log(`prepared in ${seconds.toFixed(0)} s, of which the first half twice begun: it was killed there`);
    const seekP95Ms = await seeks(config);
    const watched = await crowd(VIEWERS, SPACING_US, await renditionsIn(config.cache.folder), RUN_MS);
    const { streams, packets, lost, stalls, core, punctual } = watched;
    console.log(`${VIEWERS} viewers, ${streams} streams, ${packets} packets in ${RUN_MS / 1000} s, ${lost} lost,`);
    console.log(`${stalls} standstills, ${(punctual * 100).toFixed(2)} % of the frames; ${core.toFixed(2)} of a core`);
    console.log(JSON.stringify({ viewers: VIEWERS, lost: lost + stalls, seekP95Ms }));
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** With the command, which dies in the middle without a word; returns the seconds that it took. */
async function prepareKilled(folder: string, config: { cache: { folder: string } }): Promise<number> {
  const file = join(folder, 'dialcast.yaml');
  writeFileSync(file, stringify(config));
  const prepare = () => spawn(DIALCAST, ['prepare', '--config', file], { stdio: ['ignore', 'inherit', 'inherit'] });
  const startMs = performance.now();
  const first = prepare();
  const died = once(first, 'exit');
  await until('the half of it', () => segmentsIn(config.cache.folder) >= FILM_SECONDS / 4, 1_200_000);
  first.kill('SIGKILL');
  await died;
  const kept = segmentsIn(config.cache.folder);
  const [code] = (await once(prepare(), 'exit')) as [number];
  if (code !== 0) throw new Error(`dialcast prepare ended with ${code}`);
  console.log(`${kept} segments outlived kill -9, and all of ${segmentsIn(config.cache.folder)} are there`);
  return (performance.now() - startMs) / 1000;
}

function segmentsIn(cache: string): number {
  try {
    return readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.frames')).length;
  } catch {
    return 0;
  }
}

async function renditionsIn(cache: string): Promise<Prepared[]> {
  const folders = readdirSync(cache, { recursive: true, encoding: 'utf8' }).map(name => join(cache, name));
  const found = await Promise.all(
    folders
      .filter(name => !/\.\w+$/.test(name))
      .map(async folder => {
        const stock = await lookAt(folder);
        return stock?.isWhole ? [{ folder, rendition: stock.rendition }] : [];
      }),
  );
  return found.flat();
}

/** Milliseconds from the wish to move until the browser presents a picture of there. */
async function seeks(config: object): Promise<number> {
  const server = await DialcastServer.start(config);
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 480, height: 320 });
    await page.goto(`${server.origin(HOST)}/watch/film`);
    await until('a picture', async () => (await timeOnScreen(page)) > 0, 30_000);
    const { calls } = await server.api<{ calls: { id: string }[] }>('/api/calls');
    const url = `${server.origin()}/api/calls/${calls[0]!.id}/film`;
    const times: number[] = [];
    for (let seek = 1; seek <= SEEKS; seek++) {
      const targetMs = (seek * SEEK_STEP_MS) % (FILM_SECONDS * 1000 - 10_000);
      times.push(await seekTo(page, url, targetMs));
    }
    const [p50Ms, p95Ms] = [quantile(times, 0.5), quantile(times, 0.95)].map(Math.round) as [number, number];
    console.log(`${SEEKS} seeks: p50 ${p50Ms} ms, p95 ${p95Ms} ms, most ${Math.round(Math.max(...times))} ms`);
    return p95Ms;
  } finally {
    await browser.close();
    await server.stop();
  }
}

async function seekTo(page: Page, url: string, targetMs: number): Promise<number> {
  const segmentMs = Math.floor(targetMs / SEGMENT_MS) * SEGMENT_MS;
  const shown = page.evaluate(firstPictureIn, segmentMs, segmentMs + SEGMENT_MS);
  // Both processes count from the same wall clock.
  const startMs = performance.timeOrigin + performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ positionSeconds: targetMs / 1000 }),
  });
  if (response.status !== 200) throw new Error(`moving was answered with ${response.status}`);
  return (await shown) - startMs;
}

/** In the page: when a picture is presented whose squares tell a time in this range, in Unix milliseconds. */
function firstPictureIn(fromMs: number, toMs: number): Promise<number> {
  const video = document.querySelector('video')!;
  const canvas = document.createElement('canvas');
  canvas.width = 768;
  canvas.height = 16;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  return new Promise(resolve => {
    const look = (nowMs: number) => {
      const scale = video.videoWidth / 1280;
      context.drawImage(video, 0, 0, 768 * scale, 16 * scale, 0, 0, 768, 16);
      const { data } = context.getImageData(0, 0, 768, 16);
      let told = 0;
      for (let bit = 0; bit < 48; bit++) told = told * 2 + (data[4 * (8 * 768 + bit * 16 + 8)]! > 128 ? 1 : 0);
      if (told >= fromMs && told < toMs) resolve(performance.timeOrigin + nowMs);
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
}
