import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { FileServer } from './support/file-server.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { SoundCard } from './support/sound-card.ts';
import { KINDS, type Kind, type Place } from './support/source-kinds.ts';
import { listenToSource, soundDelaysMs } from './support/source-probe.ts';
import { observeTestcard, pictureLaterThan } from './support/testcard-probe.ts';
import { USUAL, writeTestcard } from './support/testcard-stream.ts';
import { until } from './support/until.ts';

interface Listing {
  channels: { name: string; outage: string | null }[];
  calls: { channel: string }[];
}

const FILE_SECONDS = 60;
const LOOP_SECONDS = 3;
const WATCH_SECONDS = 3;
const SLATE_SECONDS = 2;
/** Under load a browser leaves pictures out. */
const PICTURES = 20;
/** Small: a browser plays it on the same machine. */
const SIZE = { width: 640, height: 360 };
const SMALL = ['-vf', `scale=${SIZE.width}:${SIZE.height}:flags=area`, ...USUAL];
/** Of which FFmpeg knows at once what is in it, so that a peer is soon there. */
const MP4 = [...SMALL, '-f', 'mp4'];
/** Of a sample, of a picture's time, and of what a container rounds. */
const EXACT_MS = 12;
/** It is two seconds where nothing else is done; the peer has to start as well, and others may be at work. */
const BACK_MS = 15_000;
const TIMEOUT_MS = 40_000;

const PROGRAMS = ['chromium', 'ffmpeg', 'cvlc', 'pulseaudio'];

describe('a channel whose source is', { skip: OUTSIDE || missing(...PROGRAMS) }, () => {
  let folder: string;
  let web: FileServer;
  let server: DialcastServer;
  let sound: SoundCard;
  let browser: Browser;
  const places = new Map<string, Place>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-sources-'));
    chmodSync(folder, 0o755);
    const file = join(folder, 'card.mp4');
    const shortFile = join(folder, 'short.mp4');
    await writeTestcard(file, { seconds: FILE_SECONDS, encode: MP4 });
    await writeTestcard(shortFile, { seconds: LOOP_SECONDS, encode: MP4 });
    web = await FileServer.start(folder);
    // In this network nobody else has ports below those that the system picks.
    for (const [index, { name }] of KINDS.entries()) {
      places.set(name, { port: 20_000 + 10 * index, folder, file, shortFile, web: web.port });
    }
    const channels = KINDS.map(({ name, source, loop = false }, index) => ({
      ...{ number: 201 + index, name, title: `Channel ${name}`, source: source(places.get(name)!), loop },
    }));
    server = await DialcastServer.start({ channels });
    sound = await SoundCard.start();
    browser = await launchChromium(sound.environment);
  });
  after(async () => {
    await browser?.close();
    await sound?.stop();
    await server?.stop();
    await web?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const outageOf = async (name: string) => {
    const { channels } = await server.api<Listing>('/api/channels');
    return channels.find(channel => channel.name === name)?.outage;
  };

  const callsTo = async (name: string) => {
    const { calls } = await server.api<Listing>('/api/calls');
    return calls.filter(({ channel }) => channel === name).length;
  };

  /** Flash and beep by the times at which they are due: no player and no load comes between. */
  async function checkDueTimes({ source, name, beeps = 3, toleranceMs = EXACT_MS, loop }: Kind, t: TestContext) {
    const listen = () => listenToSource(source(places.get(name)!), beeps, AbortSignal.timeout(TIMEOUT_MS), loop);
    const heard = await until('the source', listen, TIMEOUT_MS);
    const delaysMs = soundDelaysMs(heard);
    const periodsMs = heard.beepsAtMs.slice(1).map((atMs, index) => atMs - heard.beepsAtMs[index]!);
    const shown = (values: readonly number[]) => values.map(value => value.toFixed(0)).join(', ');
    t.diagnostic(
      `a picture after ${heard.firstPictureMs.toFixed(0)} ms; the beeps come ${shown(delaysMs)} ms after the flashes, ${shown(periodsMs)} ms apart`,
    );
    assert.ok(delaysMs.length >= beeps - 1, `only ${delaysMs.length} pairs`);
    // A machine that stands still for a moment puts off what comes after it.
    assert.ok(Math.abs(median(delaysMs)) <= toleranceMs, `the beep comes ${median(delaysMs)} ms after the flash`);
    // What is read ahead does not stand still with it.
    if (loop) for (const periodMs of periodsMs) assert.ok(Math.abs(periodMs - 1_000) <= toleranceMs, `${periodMs} ms`);
  }

  /** Until the peer is there, there is nothing to call. */
  async function watch(page: Page, name: string): Promise<void> {
    const isWatching = async () => {
      await page.goto(`${server.origin(HOST)}/watch/${name}`);
      const state = await page.waitForSelector('body[data-state="watching"], body[data-state="ended"]');
      return (await state!.evaluate(body => body.dataset.state)) === 'watching';
    };
    await until('the channel', isWatching, TIMEOUT_MS);
    await pictureLaterThan(page, 0, TIMEOUT_MS);
  }

  /** The squares of each picture tell a time of the file, and next to all of the sound is its tone. */
  async function checkPictureAndSound(page: Page, t: TestContext): Promise<void> {
    const isRight = async () => {
      const { pictures, toneShare, beepsAtMs, width, height } = await observeTestcard(page, WATCH_SECONDS);
      const told = [...new Set(pictures.map(({ unixMs }) => unixMs))];
      assert.deepEqual({ width, height }, SIZE);
      for (const ms of told) assert.ok(ms < FILE_SECONDS * 1_000 && ms === timeOfPicture(ms), `squares tell ${ms}`);
      assert.ok(told.length > PICTURES, `only ${told.length} pictures in ${WATCH_SECONDS} s`);
      assert.ok(toneShare > 0.8, `of the sound's energy only ${toneShare} is at 1 kHz`);
      assert.ok(beepsAtMs.length >= WATCH_SECONDS - 1, `${beepsAtMs.length} beeps in ${WATCH_SECONDS} s`);
      t.diagnostic(`${told.length} pictures and ${beepsAtMs.length} beeps in ${WATCH_SECONDS} s`);
      return true;
    };
    await until('picture and sound as they were sent', isRight, TIMEOUT_MS);
  }

  for (const kind of KINDS) {
    const { name, peer: peerOf } = kind;
    test(`${name}: is seen and heard in step${peerOf ? ', and an outage of it is bridged' : ''}`, {
      timeout: 120_000,
    }, async t => {
      const peer = peerOf?.(places.get(name)!);
      t.after(() => peer?.stop());
      peer?.start();
      await checkDueTimes(kind, t);

      // Pictures of a page behind another are not shown.
      const page = await browser.newPage({ type: 'window' });
      await page.setViewport({ width: 480, height: 320 });
      t.after(() => page.close());
      await watch(page, name);
      await checkPictureAndSound(page, t);
      if (peer === undefined) return;

      await peer.stop();
      const reason = await until('an outage', () => outageOf(name), TIMEOUT_MS);
      // It has no squares.
      const told = async (seconds: number) => {
        const { pictures } = await observeTestcard(page, seconds);
        return [...new Set(pictures.map(({ unixMs }) => unixMs))];
      };
      const isSlate = async () => (await told(SLATE_SECONDS)).join() === '0';
      await until('nothing but the slate', isSlate, TIMEOUT_MS);

      peer.start();
      const startedAtMs = performance.now();
      await pictureLaterThan(page, 0, TIMEOUT_MS);
      const backMs = performance.now() - startedAtMs;
      await until('no outage', async () => (await outageOf(name)) === null, TIMEOUT_MS);
      assert.ok(backMs < BACK_MS, `a picture after ${backMs} ms`);
      t.diagnostic(`out: ${reason}; picture ${backMs.toFixed(0)} ms after the peer was started again`);
      assert.equal(await callsTo(name), 1);
      assert.equal(await page.$eval('body', body => body.dataset.state), 'watching');
    });
  }
});

/** Of the picture that is on at this time: they come thirty times a second, and tell whole milliseconds. */
function timeOfPicture(ms: number): number {
  return Math.round((Math.round((ms * 30) / 1_000) * 1_000) / 30);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
