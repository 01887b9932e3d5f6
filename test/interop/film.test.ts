import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { readSegment } from '../../src/transcoder/film/rendition-folder.ts';
import { launchChromium } from './support/browser.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { timeOnScreen } from './support/testcard-probe.ts';
import { USUAL, writeTestcard } from './support/testcard-stream.ts';
import { until } from './support/until.ts';

const FILM_SECONDS = 16;
const SEGMENT_MS = 2_000;
/** A picture is on the screen some time after it was sent. */
const SCREEN_MS = 1_000;
/** Looks at the screen in a row that saw the same: ten pictures' time and more. */
const STILL = 8;

interface Film {
  readonly positionSeconds: number;
  readonly durationSeconds: number;
  readonly preparedSeconds: number;
  readonly running: boolean;
  readonly paused: boolean;
}

interface Calls {
  readonly calls: readonly { readonly id: string; readonly film: Film }[];
}

describe('a film', { skip: OUTSIDE || missing('chromium', 'ffmpeg') }, () => {
  let folder: string;
  let server: DialcastServer;
  let browser: Browser;
  const pages: Page[] = [];

  const serve = () =>
    DialcastServer.start({
      channels: [
        {
          ...{ number: 301, name: 'film', title: 'Film', source: `file:${join(folder, 'film.ts')}`, film: true },
          // Small, so that it is prepared soon.
          ladder: [{ width: 640, height: 360, bitrateKbps: 800 }],
        },
      ],
      cache: { folder: join(folder, 'cache') },
    });
  const calls = async () => (await server.api<Calls>('/api/calls')).calls;
  const move = async (id: string, wish: object): Promise<Film> => {
    const response = await fetch(`${server.origin()}/api/calls/${id}/film`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wish),
    });
    assert.equal(response.status, 200);
    return (await response.json()) as Film;
  };
  const watch = async () => {
    const page = await browser.newPage();
    pages.push(page);
    await page.setViewport({ width: 480, height: 320 });
    const before = new Set((await calls()).map(({ id }) => id));
    await page.goto(`${server.origin(HOST)}/watch/film`);
    const call = await until('the call', async () => (await calls()).find(({ id }) => !before.has(id)), 20_000);
    return { page, id: call.id };
  };
  const prepared = async () => {
    const { channels } = await server.api<{ channels: { film: Film | null }[] }>('/api/channels');
    return channels[0]?.film?.preparedSeconds ?? 0;
  };
  /** The segments of every rendition, with when they were written. */
  const segments = () => {
    const found = new Map<string, number>();
    for (const name of readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.frames')) found.set(name, statSync(join(folder, 'cache', name)).mtimeMs);
    }
    return found;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dialcast-film-'));
    await writeTestcard(join(folder, 'film.ts'), { seconds: FILM_SECONDS, encode: USUAL });
    server = await serve();
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('is shown before it is prepared, and preparing survives that all of it is killed', {
    timeout: 90_000,
  }, async () => {
    const { page } = await watch();
    await until('a picture', async () => (await timeOnScreen(page)) > 0, 20_000);
    await until('some of it', async () => (await prepared()) >= 4, 20_000);
    const before = segments();
    const processes = await server.transcoders();
    server.process.kill('SIGKILL');
    await until('its processes to end', () => processes.every(pid => !isAlive(pid)), 10_000);
    const left = segments();
    await page.close();
    assert.ok((await prepared().catch(() => 0)) === 0 && left.size < (2 * FILM_SECONDS * 1000) / SEGMENT_MS);
    await server.stop();
    server = await serve();
    const again = await watch();
    await until('a picture', async () => (await timeOnScreen(again.page)) > 0, 20_000);
    await until('all of it', async () => (await prepared()) >= FILM_SECONDS - 1, 60_000);
    const after = segments();
    for (const [name, writtenAtMs] of before) assert.equal(after.get(name), writtenAtMs, `${name} was made again`);
  });

  test('has every picture and all of its sound, with a key frame at the beginning of each segment', async () => {
    const folders = new Set([...segments().keys()].map(name => join(folder, 'cache', name, '..')));
    assert.equal(folders.size, 2);
    for (const rendition of folders) {
      const isPicture = rendition.includes('h264');
      const stepUs = isPicture ? 1_000_000 / 30 : 20_000;
      let last = Number.NaN;
      for (let segment = 0; ; segment++) {
        const frames = await readSegment(rendition, segment);
        if (frames === null) break;
        assert.equal(frames[0]?.keyFrame, true, `segment ${segment}`);
        for (const { ptsUs } of frames) {
          assert.ok(Number.isNaN(last) || Math.abs(ptsUs - last - stepUs) < 1_500, `${ptsUs - last} us at ${ptsUs}`);
          last = ptsUs;
        }
      }
      assert.ok(last > (FILM_SECONDS - 1) * 1_000_000, `the last is at ${last}`);
    }
  });

  test('is shown to each viewer at a place of his own, and nothing is encoded', { timeout: 60_000 }, async t => {
    const [first, second] = [await watch(), await watch()];
    await until(
      'both',
      async () => (await timeOnScreen(first.page)) > 0 && (await timeOnScreen(second.page)) > 0,
      20_000,
    );
    assert.deepEqual([await server.transcoders(), await server.metric('dialcast_renditions_active')], [[], 0]);
    const { positionSeconds } = await move(second.id, { positionSeconds: 9.5 });
    assert.ok(positionSeconds >= 8 && positionSeconds < 9, `at ${positionSeconds}`);
    const atMs = performance.now();
    await until('the place', async () => (await timeOnScreen(second.page)) >= 8_000, 10_000);
    t.diagnostic(`picture ${Math.round(performance.now() - atMs)} ms after the answer`);
    for (const { page, id } of [first, second]) await showsItsPlace(page, id);
    await first.page.close();
    await second.page.close();
  });

  test('waits for who pauses, and goes on from there', { timeout: 60_000 }, async () => {
    const { page, id } = await watch();
    await until('a picture', async () => (await timeOnScreen(page)) > 500, 20_000);
    // Those of pages that were closed are not all over yet.
    const known = new Set((await calls()).map(call => call.id));
    const paused = await move(id, { paused: true });
    assert.deepEqual([paused.running, paused.paused], [false, true]);
    const seen: number[] = [];
    const told = await until('a still picture', async () => {
      seen.push(await timeOnScreen(page));
      const last = seen.at(-1)!;
      return seen.length > STILL && seen.slice(-STILL).every(each => each === last) && last;
    });
    assert.ok(Math.abs(told - paused.positionSeconds * 1000) < SCREEN_MS, `${told} at ${paused.positionSeconds} s`);
    // The page gives up a call in which nothing comes for four seconds; he who waits hears silence.
    const sinceMs = await page.evaluate(() => performance.now());
    await page.waitForFunction(fromMs => performance.now() > fromMs + 6_000, { timeout: 20_000 }, sinceMs);
    const now = (await calls()).map(call => call.id);
    assert.ok(now.includes(id) && now.every(each => known.has(each)), `${id} of ${[...known]}, then ${now}`);
    const resumed = await move(id, { paused: false });
    assert.ok(Math.abs(resumed.positionSeconds - paused.positionSeconds) < 0.2);
    const next = await until(
      'another picture',
      async () => {
        const now = await timeOnScreen(page);
        return now !== told && now;
      },
      10_000,
    );
    assert.ok(next > told && next - told < SCREEN_MS, `from ${told} to ${next}`);
    await page.close();
  });

  test('ends for who has seen all of it', { timeout: 60_000 }, async () => {
    const { page, id } = await watch();
    await until('a picture', async () => (await timeOnScreen(page)) > 0, 20_000);
    await move(id, { positionSeconds: FILM_SECONDS });
    await until('the end', async () => !(await calls()).some(call => call.id === id), 20_000);
    await page.close();
  });

  /** What is on the screen is what the server says, give or take its way there. */
  const showsItsPlace = async (page: Page, id: string) => {
    const place = async () => (await calls()).find(call => call.id === id)!.film.positionSeconds * 1000;
    const [before, told, afterwards] = [await place(), await timeOnScreen(page), await place()];
    assert.ok(told > before - SCREEN_MS && told <= afterwards, `${told} on the screen, at ${before} to ${afterwards}`);
  };
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
