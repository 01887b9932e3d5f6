import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { Certificates } from '../support/certificates.ts';
import { Baresip, missingBaresip } from './support/baresip.ts';
import { launchChromium } from './support/browser.ts';
import { Linphone } from './support/linphone.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { timeOfPicture } from './support/testcard-files.ts';
import { pictureLaterThan } from './support/testcard-probe.ts';
import { until } from './support/until.ts';

interface Listing {
  calls: { channel: string; transport: string; codecs: string[] }[];
}

const TRANSPORTS = ['tcp', 'tls'] as const;

describe('over connections', { skip: OUTSIDE || missing('openssl', 'ffmpeg') }, () => {
  const certificates = new Certificates();
  const files = {
    certificate: join(certificates.folder, 'used.pem'),
    key: join(certificates.folder, 'used.key'),
  };
  let authority: string;
  let server: DialcastServer;

  /** What an ACME client does when a certificate is renewed. */
  function install(name: string): void {
    const issued = certificates.issue(name, [HOST], 'authority');
    copyFileSync(issued.certificate, files.certificate);
    copyFileSync(issued.key, files.key);
  }

  before(async () => {
    authority = certificates.authority();
    install('first');
    const sip = { udp: 0, tcp: 0, tls: { port: 0, ...files } };
    server = await DialcastServer.start({ sip });
  });
  after(async () => {
    await server?.stop();
    certificates.remove();
  });

  async function theCall(): Promise<Listing['calls'][number]> {
    const { calls } = await server.api<Listing>('/api/calls');
    assert.equal(calls.length, 1);
    return calls[0]!;
  }

  async function nothingIsLeft(): Promise<void> {
    await until('no call', async () => (await server.api<Listing>('/api/calls')).calls.length === 0);
    await until('no viewer', async () => (await server.metric('dialcast_viewers')) === 0);
  }

  function checkAge(picture: string): void {
    const ageMs = Date.now() - timeOfPicture(picture);
    assert.ok(ageMs >= 0 && ageMs < 5_000, `the picture is ${ageMs} ms old`);
  }

  describe('baresip', { skip: missingBaresip('VP8') }, () => {
    let phone: Baresip | undefined;
    afterEach(async () => {
      await phone?.stop();
      phone = undefined;
    });

    for (const transport of TRANSPORTS) {
      test(`calls the clock over ${transport} and shows it`, { timeout: 60_000 }, async () => {
        phone = await Baresip.start({ audio: 'PCMA', video: { codec: 'VP8' }, authority });
        await phone.dial(`sip:clock@${HOST}:${server.ports[transport]};transport=${transport}`);
        const { channel, transport: used, codecs } = await theCall();
        assert.deepEqual([channel, used, codecs], ['clock', transport, ['vp8', 'pcma']]);
        await until('thirty pictures', async () => (await phone!.pictures()).count >= 30, 20_000);
        checkAge(await phone.snapshot());
        const since = phone.events.length;
        await phone.command('hangup');
        await phone.event('CALL_CLOSED', since);
        await nothingIsLeft();
      });
    }
  });

  describe('linphonec', { skip: missing('linphonec') }, () => {
    let phone: Linphone;
    before(async () => {
      phone = await Linphone.start(authority);
    });
    after(() => phone?.stop());

    for (const transport of TRANSPORTS) {
      test(`calls the clock over ${transport} and shows it`, { timeout: 60_000 }, async () => {
        const uri = `sip:clock@${HOST}:${server.ports[transport]};transport=${transport}`;
        await phone.type(`call ${uri}`, /Call \d+ with \S+ connected/);
        assert.equal((await theCall()).transport, transport);
        await phone.logged(/First video frame decoded successfully/);
        checkAge(await phone.snapshot());
        await phone.type('terminate', /Call \d+ with \S+ ended/);
        await nothingIsLeft();
      });
    }
  });

  test('a renewed certificate is shown without a restart', { timeout: 60_000 }, async () => {
    assert.match(handshake(server.ports.tls, authority), /subject=.*CN ?= ?first/);
    install('second');
    await until(
      'the new certificate',
      () => /subject=.*CN ?= ?second/.test(handshake(server.ports.tls, authority)),
      20_000,
    );
    await server.logged(({ msg }) => msg === 'certificate renewed');
    // A key that is not its own: what is in use stays.
    copyFileSync(certificates.issue('third', [HOST], 'authority').certificate, files.certificate);
    const { level } = await server.logged(({ msg }) => msg.startsWith('the new certificate cannot be used'));
    assert.equal(level, 'warn');
    assert.match(handshake(server.ports.tls, authority), /subject=.*CN ?= ?second/);
  });
});

/** What openssl tells of a TLS server whose certificate this authority must have signed. */
function handshake(port: number, authority: string): string {
  const to = ['-connect', `${HOST}:${port}`, '-CAfile', authority, '-verify_return_error', '-verify_ip', HOST];
  const { status, stdout, stderr } = spawnSync('openssl', ['s_client', ...to], { input: '', encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

describe('Chromium on an https page', { skip: OUTSIDE || missing('openssl', 'chromium') }, () => {
  const certificates = new Certificates();
  let server: DialcastServer;
  let browser: Browser;

  before(async () => {
    server = await DialcastServer.start({ http: { port: 0, tls: certificates.issue('tv', [HOST]) } });
    browser = await launchChromium({}, ['--ignore-certificate-errors']);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    certificates.remove();
  });

  test('calls the clock over wss and shows it', { timeout: 60_000 }, async () => {
    const page = await browser.newPage();
    await page.goto(`https://${HOST}:${server.ports.http}/`);
    await page.locator('#channels a').click();
    await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });
    await pictureLaterThan(page, Date.now(), 20_000);
    const { calls }: Listing = await page.evaluate(async () => (await fetch('/api/calls')).json());
    assert.deepEqual(
      calls.map(({ channel, transport }) => [channel, transport]),
      [['clock', 'wss']],
    );
  });
});
