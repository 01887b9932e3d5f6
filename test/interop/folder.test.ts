import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { PLAIN_OFFER, SipClient } from './support/sip-client.ts';
import { SoundCard } from './support/sound-card.ts';
import { observeTestcard, pictureLaterThan } from './support/testcard-probe.ts';
import { writeTestcard } from './support/testcard-stream.ts';
import { until } from './support/until.ts';

interface Listing {
  channels: { name: string; outage: string | null; skipped: { item: string; reason: string }[] }[];
}

const ITEM_SECONDS = 5;
/** Somewhat more than a round. */
const WATCH_SECONDS = 18;

/** The squares of each count from seconds of its own, and none tells 0, as a slate does. */
const ITEMS = [
  {
    // As browsers take it.
    name: 'part 2.mp4',
    firstSeconds: 1_000,
    encode: [
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-g', '30'],
      ...['-keyint_min', '30', '-sc_threshold', '0', '-b:v', '2M', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-ac', '2'],
    ],
  },
  {
    name: 'part 10.webm',
    firstSeconds: 2_000,
    encode: [
      ...['-s', '640x360', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M'],
      ...['-c:a', 'libopus', '-b:a', '64k'],
    ],
  },
  {
    name: 'part 11.ts',
    firstSeconds: 3_000,
    encode: [
      ...['-r', '25', '-s', '1024x576', '-c:v', 'mpeg2video', '-q:v', '4', '-g', '12', '-pix_fmt', 'yuv420p'],
      ...['-c:a', 'mp2', '-ar', '44100', '-ac', '1', '-b:a', '96k'],
    ],
  },
] as const;

describe('a folder as a channel', { skip: OUTSIDE || missing('chromium', 'ffmpeg', 'pulseaudio') }, () => {
  let folder: string;
  let server: DialcastServer;
  let sound: SoundCard;
  let browser: Browser;
  let page: Page;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-folder-'));
    const media = join(folder, 'media');
    for (const path of [media, join(folder, 'empty'), join(folder, 'away')]) mkdirSync(path);
    for (const { name, firstSeconds, encode } of ITEMS) {
      await writeTestcard(join(media, name), { seconds: ITEM_SECONDS, firstSeconds, encode });
    }
    writeFileSync(join(media, 'part 3.mkv'), 'this is no film');
    const channels = [
      { number: 201, name: 'series', title: 'Series', source: `file:${media}`, loop: true },
      { number: 202, name: 'empty', title: 'Empty', source: `file:${join(folder, 'empty')}`, loop: true },
    ];
    server = await DialcastServer.start({ channels });
    sound = await SoundCard.start();
    browser = await launchChromium(sound.environment);
    page = await browser.newPage();
    await page.setViewport({ width: 480, height: 320 });
  });
  after(async () => {
    await browser?.close();
    await sound?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('plays file after file in one call, whatever their codecs, with no slate between', {
    timeout: 60_000,
  }, async t => {
    await page.goto(`${server.origin(HOST)}/watch/series`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 30_000 });
    const { pictures, toneShare, beepsAtMs } = await observeTestcard(page, WATCH_SECONDS);
    // Of which item each picture is; another than the one before it begins a new entry.
    const played: number[] = [];
    for (const { unixMs } of pictures) {
      const index = ITEMS.findIndex(({ firstSeconds }) => {
        const seconds = unixMs / 1000 - firstSeconds;
        return seconds >= 0 && seconds < ITEM_SECONDS;
      });
      if (index !== played.at(-1)) played.push(index);
    }
    t.diagnostic(`${pictures.length} pictures of the items ${played.join(', ')}; ${beepsAtMs.length} tones`);
    const [first = 0] = played;
    assert.deepEqual(
      played,
      played.map((_, at) => (first + at) % ITEMS.length),
    );
    assert.ok(new Set(played).size === ITEMS.length, `only the items ${played}`);
    assert.ok(pictures.length > 5 * WATCH_SECONDS, `only ${pictures.length} pictures in ${WATCH_SECONDS} s`);
    assert.ok(toneShare > 0.7, `of the sound's energy only ${toneShare} is at 1 kHz`);
    assert.equal(await page.$eval('body', body => body.dataset.state), 'watching');
  });

  test('says which file it leaves out, in the log once and in the API', async () => {
    const { channels } = await server.api<Listing>('/api/channels');
    const { outage, skipped } = channels.find(({ name }) => name === 'series')!;
    assert.equal(outage, null);
    assert.deepEqual(
      skipped.map(({ item }) => item),
      ['part 3.mkv'],
    );
    const lines = server.log.filter(({ msg }) => msg === 'a file is skipped');
    assert.deepEqual(
      lines.map(({ level, channel, item }) => [level, channel, item]),
      [['warn', 'series', 'part 3.mkv']],
    );
  });

  test('is a slate in the same call while its files are gone, and comes back with them', {
    timeout: 90_000,
  }, async () => {
    const series = async () => {
      const { channels } = await server.api<Listing>('/api/channels');
      return channels.find(({ name }) => name === 'series')!;
    };
    const [media, away] = [join(folder, 'media'), join(folder, 'away')];
    for (const { name } of ITEMS) renameSync(join(media, name), join(away, name));
    // What is being played is played to its end.
    await until('an outage', async () => (await series()).outage?.includes('part 3.mkv'), 30_000);
    await until('a slate', async () => {
      const { pictures } = await observeTestcard(page, 1);
      return pictures.length > 0 && pictures.every(({ unixMs }) => unixMs === 0);
    });
    const { name } = ITEMS[0];
    renameSync(join(away, name), join(media, name));
    await pictureLaterThan(page, 0, 20_000);
    await until('no outage', async () => (await series()).outage === null);
    assert.equal(await page.$eval('body', body => body.dataset.state), 'watching');
  });

  test('that is empty is refused with the reason', async () => {
    const client = await SipClient.open('udp', server.ports.udp);
    const { status, reason } = await client.ask(client.request({ target: 'empty', body: PLAIN_OFFER }));
    client.close();
    assert.deepEqual([status, reason], [480, 'there is no media file in the folder or playlist']);
  });
});
