import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { Kamailio } from './support/kamailio.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { Rtpengine } from './support/rtpengine.ts';
import { DialcastServer } from './support/server.ts';
import { observeTestcard } from './support/testcard-probe.ts';
import { until } from './support/until.ts';

interface Calls {
  calls: { channel: string; transport: string; codecs: string[] }[];
}

const PORTS = { udp: 5070, webSocket: 5071, rtpengine: 5072 };
const ACCOUNT = { registrar: `${HOST}:${PORTS.udp}`, user: 'clock', password: 'secret', channel: 'clock' };
const WATCH_SECONDS = 10;
const NO_SESSIONS = /No sessions/;

/** The platform of old: a soft-switch that browsers speak to, a relay for their media, and a channel behind both. */
describe('a browser that calls through Kamailio and rtpengine', {
  skip: OUTSIDE || missing('chromium', 'kamailio', 'rtpengine'),
}, () => {
  let rtpengine: Rtpengine;
  let kamailio: Kamailio;
  let server: DialcastServer;
  let browser: Browser;
  let page: Page;

  before(async () => {
    rtpengine = await Rtpengine.start(PORTS.rtpengine);
    kamailio = await Kamailio.start(PORTS);
    server = await DialcastServer.start({ platforms: [ACCOUNT] });
    await server.logged(({ msg }) => msg === 'registered with a platform');
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await kamailio?.stop();
    await rtpengine?.stop();
  });

  /**
   * The watch page, whose SIP goes to Kamailio in place of the server that it came from. Its picture and sound may come
   * on ways of their own, since this rtpengine knows no BUNDLE.
   */
  async function watch(): Promise<void> {
    page = await browser.newPage();
    await page.setViewport({ width: 480, height: 320 });
    await page.setBypassCSP(true);
    await page.evaluateOnNewDocument((url: string) => {
      const Original = WebSocket;
      window.WebSocket = class extends Original {
        constructor(_url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
        }
      };
      const Connection = RTCPeerConnection;
      window.RTCPeerConnection = class extends Connection {
        constructor(configuration?: RTCConfiguration) {
          super({ ...configuration, bundlePolicy: 'balanced' });
        }
      };
    }, `ws://${HOST}:${PORTS.webSocket}`);
    await page.goto(`${server.origin(HOST)}/watch/clock`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });
  }

  async function nothingIsLeft(): Promise<void> {
    await until('no call', async () => (await server.api<Calls>('/api/calls')).calls.length === 0);
    await until('no viewer', async () => (await server.metric('dialcast_viewers')) === 0);
    await until('nothing in rtpengine', async () => NO_SESSIONS.test(await rtpengine.sessions()));
  }

  test('has picture and sound, as plain RTP on our side, and hangs up', { timeout: 60_000 }, async t => {
    await watch();
    const { calls } = await server.api<Calls>('/api/calls');
    assert.deepEqual(
      calls.map(({ channel, transport, codecs }) => [channel, transport, codecs]),
      [['clock', 'udp', ['h264', 'opus']]],
    );
    assert.equal(await server.metric('dialcast_viewers', { transport: 'rtp' }), 1);
    const { pictures, toneShare } = await observeTestcard(page, WATCH_SECONDS);
    const times = pictures.map(({ unixMs }) => unixMs);
    t.diagnostic(
      `${new Set(times).size} pictures in ${WATCH_SECONDS} s, ${(100 * toneShare).toFixed(0)} % of the sound at 1 kHz`,
    );
    assert.ok(new Set(times).size > 6 * WATCH_SECONDS, `only ${new Set(times).size} pictures`);
    assert.ok(Date.now() - times.at(-1)! < 2_000);
    assert.ok(toneShare > 0.8, `of the sound's energy only ${toneShare} is at 1 kHz`);
    await page.keyboard.press('Escape');
    await nothingIsLeft();
    await page.close();
  });
});
