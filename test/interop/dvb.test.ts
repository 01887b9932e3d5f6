import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { Baresip, missingBaresip } from './support/baresip.ts';
import { launchChromium } from './support/browser.ts';
import { freePort } from './support/free-port.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { childrenOf, DialcastServer } from './support/server.ts';
import { PLAIN_OFFER, SipClient } from './support/sip-client.ts';
import { SoundCard } from './support/sound-card.ts';
import { listen, timeOfPicture } from './support/testcard-files.ts';
import { observeTestcard } from './support/testcard-probe.ts';
import { Peer, writeTestcard } from './support/testcard-stream.ts';
import { until } from './support/until.ts';

interface Listing {
  channels: { name: string; outage: string | null; signal: object | null; viewers: number }[];
}

const WATCH_SECONDS = 6;
const FILE_SECONDS = 10;
/** The second programme's squares count from here, and its tones last so long; the first's are as usual. */
const SECOND = { firstSeconds: 1_000_000, toneSeconds: 0.3 };

const ENCODE = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline'],
  ...['-g', '30', '-keyint_min', '30', '-sc_threshold', '0', '-b:v', '2M', '-pix_fmt', 'yuv420p'],
  ...['-c:a', 'mp2', '-b:a', '192k', '-f', 'mpegts'],
];

const PROGRAMS = ['chromium', 'ffmpeg', 'dvblast', 'pulseaudio'] as const;

describe('two programmes of a multiplex', { skip: OUTSIDE || missingBaresip('H264') || missing(...PROGRAMS) }, () => {
  let folder: string;
  let multiplex: Peer;
  let server: DialcastServer;
  let sound: SoundCard;
  let browser: Browser;
  /** Watches the first. */
  let page: Page;
  /** Watches the second. */
  let phone: Baresip;

  const children = () => childrenOf(server.process.pid!);
  const dvblasts = async () =>
    (await children()).filter(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('dvblast\0'));
  const watched = async () => {
    const { channels } = await server.api<Listing>('/api/channels');
    return channels.filter(({ viewers }) => viewers > 0);
  };
  const dial = () => phone.dial(`sip:two@${HOST}:${server.ports.udp}`);
  const secondTime = async () => timeOfPicture(await phone.snapshot()) / 1000 - SECOND.firstSeconds;

  /** Both show pictures of their own that follow each other. */
  const bothMove = async () => {
    const { pictures } = await observeTestcard(page, 1);
    const times = new Set(pictures.map(({ unixMs }) => unixMs / 1000));
    const [before, later] = [await secondTime(), await secondTime()];
    const isOwn = (seconds: number) => seconds >= 0 && seconds < FILE_SECONDS;
    return times.size > 3 && [...times].every(isOwn) && before !== later && [before, later].every(isOwn);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-multiplex-'));
    const [first, second] = [join(folder, 'first.ts'), join(folder, 'second.ts')];
    await writeTestcard(first, { seconds: FILE_SECONDS, encode: ENCODE });
    await writeTestcard(second, { seconds: FILE_SECONDS, encode: ENCODE, ...SECOND });
    const port = await freePort();
    multiplex = new Peer('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', first, '-re', '-stream_loop', '-1'],
      ...['-i', second, '-map', '0', '-map', '1', '-c', 'copy'],
      ...['-program', 'title=Das Erste:program_num=101:st=0:st=1'],
      ...['-program', 'title=CANAL+ Zwei:program_num=102:st=2:st=3'],
      ...['-f', 'mpegts', '-pes_payload_size', '0', `udp://127.0.0.1:${port}?pkt_size=1316`],
    ]);
    const source = `dvb:udp://127.0.0.1:${port}`;
    const channels = [
      { number: 201, name: 'one', title: 'One', source: `${source}#101` },
      { number: 202, name: 'two', title: 'Two', source: `${source}#CANAL+ Zwei` },
      { number: 203, name: 'absent', title: 'Absent', source: `${source}#Drei` },
      { number: 204, name: 'other', title: 'Other', source: `dvb:rtp://127.0.0.1:${port}#101` },
      { number: 205, name: 'card', title: 'Card', source: 'dvb://99?system=dvb-t&frequency=586&bandwidth=8#1' },
    ];
    server = await DialcastServer.start({ channels });
    sound = await SoundCard.start();
    browser = await launchChromium(sound.environment);
    page = await browser.newPage();
    await page.setViewport({ width: 480, height: 320 });
    phone = await Baresip.start({ audio: 'PCMA', video: { codec: 'H264', modes: true } });
    multiplex.start();
  });
  after(async () => {
    await multiplex?.stop();
    await phone?.stop();
    await browser?.close();
    await sound?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('are watched at once from one dvblast, each with its own picture and sound', { timeout: 60_000 }, async t => {
    await page.goto(`${server.origin(HOST)}/watch/one`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 30_000 });
    await dial();
    await phone.record();
    assert.equal((await dvblasts()).length, 1);
    assert.equal((await children()).length, 3);
    await until('pictures of both', bothMove, 20_000);
    const { toneShare } = await observeTestcard(page, WATCH_SECONDS);
    assert.ok(toneShare > 0.7, `of the sound's energy only ${toneShare} is at 1 kHz`);
    // Without a frontend there is no signal to tell of.
    assert.deepEqual(
      (await watched()).map(({ name, outage, signal }) => ({ name, outage, signal })),
      [
        { name: 'one', outage: null, signal: null },
        { name: 'two', outage: null, signal: null },
      ],
    );
    const since = phone.events.length;
    await phone.command('hangup');
    await phone.event('CALL_CLOSED', since);
    const lengths = listen(phone.heard).beeps.map(({ lengthMs }) => lengthMs);
    t.diagnostic(`tones of ${lengths.join(', ')} ms`);
    const [median = 0] = lengths.toSorted((a, b) => a - b).slice(lengths.length / 2);
    assert.ok(Math.abs(median - SECOND.toneSeconds * 1000) <= 50, `tones of ${lengths} ms`);
    await dial();
  });

  const REFUSALS = [
    [
      'one that it has not',
      'absent',
      /the multiplex has no service Drei; it has Das Erste \(101\), CANAL\+ Zwei \(102\)$/,
    ],
    ['a second tuning of the same input', 'other', /^card \S+ is in use: channel one has it at udp 127\.0\.0\.1:\d+$/],
    ['a card that is not there', 'card', /^dvblast ended \(exit code 1: opening device \S+adapter99\S+ failed .*\)$/],
  ] as const;
  for (const [name, target, reason] of REFUSALS) {
    test(`${name} is refused with the reason`, { timeout: 20_000 }, async () => {
      const client = await SipClient.open('udp', server.ports.udp);
      const answer = await client.ask(client.request({ target, body: PLAIN_OFFER }));
      client.close();
      assert.equal(answer.status, 480);
      assert.match(answer.reason, reason);
    });
  }

  test('are a slate while the multiplex is gone, in the same calls, and come back', { timeout: 60_000 }, async () => {
    const since = phone.events.length;
    await multiplex.stop();
    await until('two outages', async () => (await watched()).every(({ outage }) => outage !== null), 20_000);
    // A slate has no squares.
    await until('a slate in the browser', async () => {
      const { pictures } = await observeTestcard(page, 1);
      return pictures.length > 0 && pictures.every(({ unixMs }) => unixMs === 0);
    });
    await until('a slate on the phone', async () => timeOfPicture(await phone.snapshot()) === 0);
    multiplex.start();
    await until('pictures of both', bothMove, 30_000);
    assert.equal(
      phone.events.slice(since).some(({ type }) => type === 'CALL_CLOSED'),
      false,
    );
    assert.equal(await page.$eval('body', body => body.dataset.state), 'watching');
  });

  test('come back in the same calls when dvblast is killed', { timeout: 60_000 }, async () => {
    const since = phone.events.length;
    const [pid] = await dvblasts();
    process.kill(pid!, 'SIGKILL');
    await until('another dvblast', async () => {
      const [next] = await dvblasts();
      return next !== undefined && next !== pid;
    });
    await until('pictures of both', bothMove, 30_000);
    assert.equal(
      phone.events.slice(since).some(({ type }) => type === 'CALL_CLOSED'),
      false,
    );
    assert.equal(await page.$eval('body', body => body.dataset.state), 'watching');
  });

  test('leave no process behind their last viewers', { timeout: 60_000 }, async () => {
    await page.close();
    await phone.command('hangup');
    await until('no process', async () => (await children()).length === 0, 40_000);
  });
});
