import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { PacketLoss } from './support/packet-loss.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { observeTestcard, pictureLaterThan } from './support/testcard-probe.ts';
import { until } from './support/until.ts';

interface Listing {
  calls: { id: string }[];
}

const WATCH_SECONDS = 10;
const LOSS_PERCENT = 3;

describe('a network that loses packets', { skip: OUTSIDE || missing('chromium', 'nft') }, () => {
  let server: DialcastServer;
  let browser: Browser;
  let page: Page;

  before(async () => {
    server = await DialcastServer.start();
    browser = await launchChromium();
    page = await browser.newPage();
    await page.setViewport({ width: 480, height: 320 });
    await page.goto(`${server.origin(HOST)}/watch/clock`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('what is missing is sent again, and the picture goes on', { timeout: 60_000 }, async t => {
    const loss = PacketLoss.start(server.ports.media, LOSS_PERCENT);
    t.after(() => loss.stop());
    const { pictures } = await observeTestcard(page, WATCH_SECONDS);
    const retransmitted = await server.metric('dialcast_packets_retransmitted_total');
    const times = [...new Set(pictures.map(({ unixMs }) => unixMs))];
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    t.diagnostic(
      `${LOSS_PERCENT} % lost: ${times.length} pictures in ${WATCH_SECONDS} s, longest gap ${Math.max(...gaps)} ms, ` +
        `${retransmitted} packets sent again`,
    );
    assert.ok(retransmitted > 0, 'nothing was sent again');
    assert.ok(times.length > 20 * WATCH_SECONDS, `only ${times.length} pictures`);
    assert.ok(Math.max(...gaps) < 1_000, `no picture for ${Math.max(...gaps)} ms`);
  });

  test('after an outage of a second there is picture again, in the same call', { timeout: 30_000 }, async () => {
    const { calls: before } = await server.api<Listing>('/api/calls');
    const sent = await server.metric('dialcast_packets_sent_total');
    const outage = PacketLoss.start(server.ports.media, 100);
    await until('a second of packets that nobody gets', async () => {
      return (await server.metric('dialcast_packets_sent_total')) > sent + 100;
    });
    outage.stop();
    await pictureLaterThan(page, Date.now(), 3_000);
    const { calls: after } = await server.api<Listing>('/api/calls');
    assert.deepEqual(after, before);
  });
});
