import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { AccountsServer, REALM } from './support/accounts-server.ts';
import { launchChromium } from './support/browser.ts';
import { JssipClient } from './support/jssip-client.ts';
import { JssipPage } from './support/jssip-page.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { pictureLaterThan } from './support/testcard-probe.ts';
import { until } from './support/until.ts';

const CHANNEL = `sip:clock@${REALM}`;

/** Its offer is a recorded one, for want of WebRTC in Node: these are calls whose media nobody wants. */
describe('JsSIP in Node, over secure WebSocket,', { skip: missing('openssl') }, () => {
  let server: AccountsServer;
  let client: JssipClient | undefined;

  before(async () => {
    server = await AccountsServer.start({ passwords: { ann: 'secret' } });
  });
  afterEach(() => {
    client?.close();
    client = undefined;
  });
  after(() => server?.stop());

  const open = async (password?: string): Promise<JssipClient> => {
    const { authority, ports } = server;
    const url = `wss://127.0.0.1:${ports.http}/sip`;
    client = await JssipClient.open({ url, authority, uri: `sip:ann@${REALM}`, ...(password && { password }) });
    return client;
  };

  test('registers with its password, calls a channel, hangs up and unregisters', { timeout: 60_000 }, async () => {
    const jssip = await open('secret');
    assert.equal(await jssip.register(), 200);
    assert.equal(await server.registrations(), 1);

    const call = await jssip.call(CHANNEL);
    assert.ok(typeof call === 'object', `refused with ${call}`);
    assert.match(call.answer, /^a=fingerprint:sha-256 /m);
    assert.match(call.answer, /^m=video [1-9]\d* UDP\/TLS\/RTP\/SAVPF /m);
    assert.deepEqual(
      (await server.calls()).map(({ channel, transport }) => [channel, transport]),
      [['clock', 'wss']],
    );
    call.hangUp();
    await until('no call', async () => (await server.calls()).length === 0);

    assert.equal(await server.registrations(), 1);
    await jssip.unregister();
    assert.equal(await server.registrations(), 0);
  });

  for (const [name, password] of [
    ['with a wrong password', 'Secret'],
    ['without a password', undefined],
  ] as const) {
    test(`${name} neither registers nor calls`, { timeout: 60_000 }, async () => {
      const jssip = await open(password);
      assert.equal(await jssip.register(), 401);
      assert.equal(await jssip.call(CHANNEL), 401);
      assert.deepEqual([await server.registrations(), await server.calls()], [0, []]);
    });
  }
});

describe('JsSIP in Chromium, over secure WebSocket,', { skip: OUTSIDE || missing('chromium', 'openssl') }, () => {
  let server: AccountsServer;
  let browser: Browser;

  before(async () => {
    server = await AccountsServer.start({ passwords: { ann: 'secret' } });
    browser = await launchChromium({}, ['--ignore-certificate-errors']);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('registers, shows the channel that it calls, hangs up and unregisters', { timeout: 60_000 }, async () => {
    const page = await browser.newPage();
    await page.setViewport({ width: 480, height: 320 });
    const origin = `${HOST}:${server.ports.http}`;
    const jssip = await JssipPage.open(page, `https://${origin}/api/channels`);
    const account = { url: `wss://${origin}/sip`, uri: `sip:ann@${REALM}` };
    assert.equal(await jssip.register({ ...account, password: 'Secret' }), 401);
    await assert.rejects(jssip.call(CHANNEL), /Authentication Error/);
    assert.equal(await jssip.register({ ...account, password: 'secret' }), 200);
    assert.equal(await server.registrations(), 1);

    await jssip.call(CHANNEL);
    assert.deepEqual(
      (await server.calls()).map(({ channel, transport, codecs }) => [channel, transport, codecs]),
      [['clock', 'wss', ['h264', 'opus']]],
    );
    await pictureLaterThan(page, Date.now(), 20_000);
    await jssip.hangUp();
    await until('no call', async () => (await server.calls()).length === 0);

    await jssip.unregister();
    assert.equal(await server.registrations(), 0);
  });
});
