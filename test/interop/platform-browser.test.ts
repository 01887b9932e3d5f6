import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { JssipPage } from './support/jssip-page.ts';
import { Kamailio } from './support/kamailio.ts';
import { Machine } from './support/machine.ts';
import { HOST, OUTSIDE, PROXY, RELAY } from './support/network.ts';
import { missing } from './support/programs.ts';
import { Rtpengine } from './support/rtpengine.ts';
import { childrenOf, DialcastServer } from './support/server.ts';
import { SoundCard } from './support/sound-card.ts';
import { observeTestcard } from './support/testcard-probe.ts';
import { until } from './support/until.ts';

interface Calls {
  calls: { channel: string; transport: string; codecs: string[]; held: boolean }[];
}

const ACCOUNT = { registrar: `${PROXY}:5060`, user: 'clock', password: 'secret', channel: 'clock' };
const WATCH_SECONDS = 10;
/** A vanished browser is missed after half a minute. */
const MOST_LINGERING_MS = 60_000;

/** The platform of old: a soft-switch that browsers speak to, a relay for their media, and a channel behind both. */
describe('a browser that calls through Kamailio and rtpengine', {
  skip: OUTSIDE || missing('chromium', 'kamailio', 'kamcmd', 'rtpengine', 'pulseaudio'),
}, () => {
  let machines: Machine[];
  let rtpengine: Rtpengine;
  let kamailio: Kamailio;
  let server: DialcastServer;
  let sound: SoundCard;
  let browser: Browser;
  let page: Page;

  before(async () => {
    machines = [await Machine.start(RELAY), await Machine.start(PROXY)];
    rtpengine = await Rtpengine.start(machines[0]!);
    kamailio = await Kamailio.start(machines[1]!, rtpengine.control);
    // What the page calls is the subscriber there.
    server = await DialcastServer.start({ domain: PROXY, trusted: [PROXY, RELAY], platforms: [ACCOUNT] });
    await server.logged(({ msg }) => msg === 'registered with a platform');
    sound = await SoundCard.start();
  });
  afterEach(() => browser?.close());
  after(async () => {
    await sound?.stop();
    await server?.stop();
    await kamailio?.stop();
    await rtpengine?.stop();
    for (const machine of machines ?? []) await machine.stop();
  });

  /** Its pages let picture and sound come on ways of their own, since this rtpengine knows no BUNDLE. */
  async function open(): Promise<void> {
    browser = await launchChromium(sound.environment);
    page = await browser.newPage();
    await page.evaluateOnNewDocument(() => {
      const Original = RTCPeerConnection;
      window.RTCPeerConnection = class extends Original {
        constructor(configuration?: RTCConfiguration) {
          super({ ...configuration, bundlePolicy: 'balanced' });
        }
      };
    });
  }

  /** The watch page, whose SIP goes to Kamailio in place of the server that it came from. */
  async function watch(): Promise<void> {
    await open();
    await page.setViewport({ width: 480, height: 320 });
    await page.setBypassCSP(true);
    await page.evaluateOnNewDocument((url: string) => {
      const Original = WebSocket;
      window.WebSocket = class extends Original {
        constructor(_url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
        }
      };
    }, kamailio.webSocket);
    await page.goto(`${server.origin(HOST)}/watch/clock`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });
    await until('one call in rtpengine', async () => (await rtpengine.calls()).length === 1);
  }

  async function noCallIsLeft(timeoutMs = 10_000): Promise<void> {
    await until('no call', async () => (await server.api<Calls>('/api/calls')).calls.length === 0, timeoutMs);
    await until('no viewer', async () => (await server.metric('dialcast_viewers')) === 0);
    await noRelayIsLeft();
  }

  const noRelayIsLeft = () => until('nothing in rtpengine', async () => (await rtpengine.calls()).length === 0);

  /** They stay for some seconds, in case a request comes again, and for 30 s where nobody answers. */
  const noTransactionIsLeft = () => until('no transaction', () => kamailio.transactions() === 0, 40_000);

  test('has picture and sound, as plain RTP on our side, and hangs up', { timeout: 90_000 }, async t => {
    await watch();
    const { calls } = await server.api<Calls>('/api/calls');
    assert.deepEqual(
      calls.map(({ channel, transport, codecs }) => [channel, transport, codecs]),
      [['clock', 'udp', ['h264', 'opus']]],
    );
    assert.equal(await server.metric('dialcast_viewers', { transport: 'rtp' }), 1);
    const seen = await observeTestcard(page, WATCH_SECONDS);
    const times = seen.pictures.map(({ unixMs }) => unixMs);
    const pictures = new Set(times).size;
    // On a busy machine a beep may have a gap in it.
    const beeps = seen.beepsAtMs.filter((atMs, index, all) => index === 0 || atMs - all[index - 1]! > 500);
    const periods = beeps.slice(1).map((atMs, index) => Math.round(atMs - beeps[index]!));
    t.diagnostic(`${pictures} pictures in ${WATCH_SECONDS} s, beeps ${periods.join(', ')} ms apart`);
    assert.ok(pictures > 6 * WATCH_SECONDS, `only ${pictures} pictures`);
    assert.ok(
      times.every((time, index) => index === 0 || time >= times[index - 1]!),
      'the squares of a picture tell a time before that of the picture before',
    );
    const ageMs = Date.now() - times.at(-1)!;
    assert.ok(ageMs >= 0 && ageMs < 2_000, `the last picture is ${ageMs} ms old`);
    assert.ok(beeps.length >= WATCH_SECONDS - 2, `only ${beeps.length} beeps`);
    const median = periods.toSorted((a, b) => a - b)[Math.floor(periods.length / 2)]!;
    assert.ok(Math.abs(median - 1_000) < 100, `beeps ${periods.join(', ')} ms apart`);
    assert.ok(seen.toneShare > 0.8, `of the sound's energy only ${seen.toneShare} is at 1 kHz`);
    await page.keyboard.press('Escape');
    await noCallIsLeft();
    await noTransactionIsLeft();
  });

  test('registers there, holds its call and resumes it', { timeout: 90_000 }, async () => {
    await open();
    const caller = await JssipPage.open(page, server.origin(HOST));
    const account = { url: kamailio.webSocket, uri: `sip:viewer@${PROXY}`, password: 'secret' };
    assert.equal(await caller.register(account), 200);
    await caller.call(`sip:${ACCOUNT.user}@${PROXY}`);
    const held = async () => (await server.api<Calls>('/api/calls')).calls[0]?.held;
    const more = async () => {
      const octets = await caller.octets();
      await until('more media', async () => (await caller.octets()) > octets + 10_000);
    };
    await until('media', async () => (await caller.octets()) > 0);
    await more();
    await caller.hold();
    assert.equal(await held(), true);
    await caller.resume();
    assert.equal(await held(), false);
    await more();
    await caller.hangUp();
    await noCallIsLeft();
  });

  test('is killed, and is missed within a minute', { timeout: 120_000 }, async t => {
    await watch();
    await observeTestcard(page, 5);
    for (const pid of await family(browser.process()!.pid!)) process.kill(pid, 'SIGKILL');
    const killedMs = performance.now();
    await noCallIsLeft(MOST_LINGERING_MS);
    t.diagnostic(`gone ${((performance.now() - killedMs) / 1000).toFixed(0)} s after the browser`);
    await noTransactionIsLeft();
  });

  test('is hung up on when the server ends', { timeout: 90_000 }, async () => {
    await watch();
    assert.equal(await server.stop(), 0);
    await page.waitForSelector('body:not([data-state="watching"])');
    await noRelayIsLeft();
    await noTransactionIsLeft();
  });
});

/** A process and all that it started, those that started last first. */
async function family(pid: number): Promise<number[]> {
  const children = await Promise.all((await childrenOf(pid)).map(family));
  return [...children.flat(), pid];
}
