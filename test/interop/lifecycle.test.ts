import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { RtpReceiver } from './support/rtp-receiver.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient } from './support/sip-client.ts';
import { pictureLaterThan } from './support/testcard-probe.ts';
import { until } from './support/until.ts';

/** The transcoder of a channel lives on for ten seconds after its last viewer. */
const LINGER_TIMEOUT_MS = 15_000;

interface Viewer {
  readonly receiver: RtpReceiver;
  hangUp(): Promise<unknown>;
}

describe('what runs while somebody watches', () => {
  let server: DialcastServer;
  let client: SipClient;
  const receivers: RtpReceiver[] = [];

  beforeEach(async () => {
    server = await DialcastServer.start();
    client = await SipClient.open('udp', server.ports.udp);
  });
  afterEach(async () => {
    for (const receiver of receivers.splice(0)) receiver.close();
    client.close();
    await server.stop();
  });

  async function watch(): Promise<Viewer> {
    const receiver = await RtpReceiver.open();
    receivers.push(receiver);
    const { hangUp } = await client.call('clock', receiver.offer);
    await until('a key frame', () => receiver.keyFrameAtMs !== null);
    return { receiver, hangUp };
  }

  test('three viewers of one codec share one encoder; its process ends after the last one', {
    timeout: 60_000,
  }, async () => {
    const viewers = [await watch(), await watch(), await watch()];
    assert.equal(await server.metric('dialcast_viewers', { transport: 'rtp' }), 3);
    assert.equal(await server.metric('dialcast_renditions_active', { channel: 'clock' }), 1);
    const transcoders = await server.transcoders();
    assert.equal(transcoders.length, 1, `transcoders: ${transcoders}`);

    // One encoder makes each frame once: in the time of n frames, three viewers get 3 n.
    const before = await framesAndPackets(server);
    await until('sixty frames', async () => (await framesAndPackets(server)).frames >= before.frames + 60);
    const after = await framesAndPackets(server);
    const packetsPerFrame = (after.packets - before.packets) / (after.frames - before.frames);
    assert.ok(packetsPerFrame >= 3, `${packetsPerFrame} packets for each encoded frame`);

    for (const { hangUp } of viewers) await hangUp();
    await until('no viewer', async () => (await server.metric('dialcast_viewers')) === 0);
    await until('no transcoder', async () => (await server.transcoders()).length === 0, LINGER_TIMEOUT_MS);
    assert.equal(await server.metric('dialcast_renditions_active'), 0);
  });

  test('kill -9 of the server leaves no process behind', { timeout: 30_000 }, async () => {
    await watch();
    const transcoders = await server.transcoders();
    assert.equal(transcoders.length, 1);
    const exited = once(server.process, 'exit');
    server.process.kill('SIGKILL');
    await exited;
    await until('the end of the transcoders', () => transcoders.every(pid => !isAlive(pid)), 5_000);
  });

  test('SIGTERM: running calls get a BYE, new ones 503 with Retry-After, and all is over in five seconds', {
    timeout: 30_000,
  }, async () => {
    await watch();
    const transcoders = await server.transcoders();
    const startedAtMs = performance.now();
    const exited = once(server.process, 'exit');
    server.process.kill('SIGTERM');
    // The viewer does not answer its BYE, so the server waits for a moment.
    await until('a BYE', () => /^BYE sip:viewer@/m.test(client.received));
    assert.match(client.received, /^Reason: SIP;cause=503;text="The server is shutting down"/m);
    const late = await client.ask(client.request({ target: 'clock', body: receivers[0]!.offer }));
    assert.equal(late.status, 503);
    assert.match(late.text, /^Retry-After: \d+/m);
    await exited;
    assert.ok(performance.now() - startedAtMs < 5_000, 'closing took more than five seconds');
    assert.equal(server.process.exitCode, 0);
    assert.ok(!transcoders.some(isAlive), 'a transcoder outlived its server');
  });
});

describe('kill -9 of a transcoder', { skip: OUTSIDE || missing('chromium') }, () => {
  let server: DialcastServer;
  let client: SipClient;
  let browser: Browser;
  let page: Page;

  before(async () => {
    server = await DialcastServer.start();
    client = await SipClient.open('udp', server.ports.udp);
    browser = await launchChromium();
    page = await browser.newPage();
  });
  after(async () => {
    await browser?.close();
    client?.close();
    await server?.stop();
  });

  test('every viewer has picture again within three seconds, and no call drops', { timeout: 60_000 }, async t => {
    await page.goto(`${server.origin(HOST)}/watch/clock`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });
    const receiver = await RtpReceiver.open();
    t.after(() => receiver.close());
    await client.call('clock', receiver.offer);
    await until('a key frame for the phone', () => receiver.keyFrameAtMs !== null);
    const calls = await callIds(server);
    assert.equal(calls.length, 2);

    for (let round = 1; round <= 3; round++) {
      const [pid] = await server.transcoders();
      const killedAtMs = performance.now();
      process.kill(pid!, 'SIGKILL');
      await until('the end of the transcoder', () => !isAlive(pid!));
      await Promise.all([
        pictureLaterThan(page, Date.now(), 3_000),
        until('a key frame for the phone', () => receiver.keyFrameAtMs! > killedAtMs, 3_000),
      ]);
      t.diagnostic(`round ${round}: picture again after ${(performance.now() - killedAtMs).toFixed(0)} ms`);
      assert.ok(performance.now() - killedAtMs < 3_000);
      assert.deepEqual(await callIds(server), calls);
    }
    assert.equal(await page.$eval('body', body => body.dataset.state), 'watching');
  });
});

async function framesAndPackets(server: DialcastServer): Promise<{ frames: number; packets: number }> {
  const [frames, packets] = await Promise.all([
    server.metric('dialcast_encode_frames_total'),
    server.metric('dialcast_packets_sent_total'),
  ]);
  return { frames, packets };
}

async function callIds(server: DialcastServer): Promise<string[]> {
  const { calls } = await server.api<{ calls: { id: string }[] }>('/api/calls');
  return calls.map(({ id }) => id).sort();
}

/** A zombie waits for its parent and runs no more. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
