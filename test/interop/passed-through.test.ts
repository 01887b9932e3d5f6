import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { freePort } from './support/free-port.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { SoundCard } from './support/sound-card.ts';
import { observeTestcard, pictureLaterThan, soundDelayMs } from './support/testcard-probe.ts';
import { Peer, writeTestcard } from './support/testcard-stream.ts';
import { until } from './support/until.ts';

interface Medium {
  readonly passThrough: string | null;
  readonly obstacle: string | null;
}

interface Listing {
  channels: { name: string; outage: string | null; video: Medium | null; audio: Medium | null }[];
}

const WATCH_SECONDS = 14;
const FILE_SECONDS = 20;

/** What an encoder in front of Dialcast is best told to make. */
const LIVE = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'main', '-coder', '1'],
  ...['-bf', '0', '-g', '30', '-keyint_min', '30', '-sc_threshold', '0', '-b:v', '3M', '-pix_fmt', 'yuv420p'],
  ...['-c:a', 'libopus', '-b:a', '96k', '-f', 'mpegts'],
];
const WITH_B_FRAMES = LIVE.map((word, index) => (LIVE[index - 1] === '-bf' ? '2' : word)).filter(
  (word, index, words) => word !== '-tune' && words[index - 1] !== '-tune',
);

describe('what comes in as browsers take it', { skip: OUTSIDE || missing('chromium', 'ffmpeg', 'pulseaudio') }, () => {
  let folder: string;
  let port: number;
  let server: DialcastServer;
  let sound: SoundCard;
  let browser: Browser;
  let page: Page;
  let peer: Peer;

  const send = (name: string) =>
    new Peer('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', join(folder, name), '-c', 'copy'],
      // Sound in packets of its own, as encoders for live streams send it, and not a quarter of a second at once.
      ...['-f', 'mpegts', '-pes_payload_size', '0', `udp://127.0.0.1:${port}?pkt_size=1316`],
    ]);
  const channel = async () => (await server.api<Listing>('/api/channels')).channels[0]!;
  const passedThrough = () => server.metric('dialcast_renditions_passed_through');

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-passed-'));
    await writeTestcard(join(folder, 'live.ts'), { seconds: FILE_SECONDS, encode: LIVE });
    await writeTestcard(join(folder, 'b-frames.ts'), { seconds: FILE_SECONDS, encode: WITH_B_FRAMES });
    port = await freePort();
    const channels = [{ number: 201, name: 'live', title: 'Live', source: `udp://127.0.0.1:${port}` }];
    server = await DialcastServer.start({ channels });
    sound = await SoundCard.start();
    browser = await launchChromium(sound.environment);
    page = await browser.newPage();
    await page.setViewport({ width: 480, height: 320 });
  });
  after(async () => {
    await peer?.stop();
    await browser?.close();
    await sound?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is passed through, decoded there, and heard in step', { timeout: 60_000 }, async t => {
    peer = send('live.ts');
    peer.start();
    await page.goto(`${server.origin(HOST)}/watch/live`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 30_000 });
    await until('both passed through', async () => (await passedThrough()) === 2, 10_000);
    const { video, audio } = await channel();
    assert.deepEqual(video, { passThrough: 'h264 main 3.1', obstacle: null });
    assert.deepEqual(audio, { passThrough: 'opus', obstacle: null });
    const seen = await observeTestcard(page, WATCH_SECONDS);
    const pictures = new Set(seen.pictures.map(({ unixMs }) => unixMs)).size;
    assert.deepEqual([seen.width, seen.height], [1280, 720]);
    assert.ok(pictures > 12 * WATCH_SECONDS, `only ${pictures} pictures in ${WATCH_SECONDS} s`);
    assert.ok(seen.toneShare > 0.8, `of the sound's energy only ${seen.toneShare} is at 1 kHz`);
    const delayMs = soundDelayMs(seen);
    assert.ok(Math.abs(delayMs) < 100, `the beep comes ${delayMs} ms after the flash`);
    t.diagnostic(`${pictures} pictures in ${WATCH_SECONDS} s; the beep ${delayMs.toFixed(0)} ms after the flash`);
  });

  test('is a slate while it is out, in the same call, and passed through again', { timeout: 60_000 }, async () => {
    await peer.stop();
    await until('an outage', async () => (await channel()).outage, 20_000);
    await until('both encoded', async () => (await passedThrough()) === 0, 10_000);
    const slate = await observeTestcard(page, 2);
    // It has no squares.
    assert.deepEqual([...new Set(slate.pictures.map(({ unixMs }) => unixMs))], [0]);
    peer.start();
    await until('both passed through', async () => (await passedThrough()) === 2, 20_000);
    await pictureLaterThan(page, 0, 5_000);
  });

  test('is encoded for the same call when B-frames come', { timeout: 60_000 }, async () => {
    await peer.stop();
    peer = send('b-frames.ts');
    peer.start();
    await until('the reason', async () => (await channel()).video?.obstacle === 'it has B-frames', 30_000);
    await until('a picture of the source', async () => (await channel()).outage === null, 20_000);
    const seen = await observeTestcard(page, 3);
    const pictures = new Set(seen.pictures.map(({ unixMs }) => unixMs).filter(unixMs => unixMs > 0)).size;
    assert.ok(pictures > 12 * 3, `only ${pictures} pictures in 3 s`);
    assert.equal(await page.$eval('body', body => body.dataset.state), 'watching');
  });
});
