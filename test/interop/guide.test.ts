import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { launchChromium } from './support/browser.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { RtpReceiver } from './support/rtp-receiver.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

interface Show {
  title: string;
  start: string;
  stop: string;
}

interface GuideChannel {
  number: number;
  name: string;
  title: string;
  group: string | null;
  now: Show | null;
  next: Show | null;
  programmes: Show[];
}

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><circle cx="12" cy="12" r="9"/></svg>';

const list = (logo: string) => `#EXTM3U
#EXTINF:-1 tvg-id="card.example" tvg-chno="7" tvg-logo="${logo}" group-title="Tests",Test Card
testcard:
#EXTINF:-1,Not to be had
exec:touch /tmp/never
#EXTINF:-1,Other
http://127.0.0.1:9/other.ts
`;

/** An hour ago to an hour from now, and the hour after that. */
function programmes(): string {
  const time = (hours: number) =>
    new Date(Date.now() + hours * 3_600_000)
      .toISOString()
      .replace(/[-:T]|\..*/g, '')
      .concat(' +0000');
  const show = (title: string, from: number, to: number) =>
    `<programme channel="card.example" start="${time(from)}" stop="${time(to)}"><title>${title}</title></programme>`;
  return `<?xml version="1.0"?><tv>${show('Colours', -1, 1)}${show('Greys', 1, 2)}</tv>`;
}

describe('channels of a playlist', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dialcast-guide-'));
  let web: Server;
  let logo: string;
  let server: DialcastServer;
  let client: SipClient;
  let receiver: RtpReceiver;

  before(async () => {
    web = createServer(({ url }, response) => {
      if (url === '/logo.svg') response.setHeader('content-type', 'image/svg+xml').end(LOGO);
      else response.end(gzipSync(programmes()));
    });
    await new Promise<void>(resolve => web.listen(0, resolve));
    const { port } = web.address() as AddressInfo;
    logo = `http://${HOST}:${port}/logo.svg`;
    const source = join(folder, 'list.m3u');
    writeFileSync(source, list(logo));
    const xmltv = [`http://127.0.0.1:${port}/guide.xml.gz`];
    server = await DialcastServer.start({ guide: { playlists: [{ source, firstNumber: 500 }], xmltv } });
    client = await SipClient.open('udp', server.ports.udp);
    receiver = await RtpReceiver.open();
  });
  after(async () => {
    receiver?.close();
    client?.close();
    await server?.stop();
    web?.closeAllConnections();
    web?.close();
    rmSync(folder, { recursive: true });
  });

  const guide = async (query = '') => (await server.api<{ channels: GuideChannel[] }>(`/api/guide${query}`)).channels;

  test('are channels like any other, beside those of the configuration', async () => {
    assert.deepEqual(
      (await guide()).map(({ number, name, title, group }) => [number, name, title, group]),
      [
        [101, 'clock', 'Clock', null],
        [7, 'test-card', 'Test Card', 'Tests'],
        [500, 'other', 'Other', null],
      ],
    );
    const { faults } = await server.logged(({ msg }) => msg.includes('not all of it'));
    assert.deepEqual(faults, [{ line: 5, fault: 'exec: is taken from the configuration alone' }]);
  });

  test('have what is on now and next, and between two moments', async () => {
    const card = await until('the programmes', async () => {
      const channel = (await guide()).find(({ name }) => name === 'test-card');
      return channel?.now !== null && channel;
    });
    assert.deepEqual([card.now?.title, card.next?.title], ['Colours', 'Greys']);
    const [from, to] = [card.now!.stop, card.next!.stop];
    const [, later] = await guide(`?from=${from}&to=${to}`);
    assert.deepEqual(
      later?.programmes.map(({ title }) => title),
      ['Greys'],
    );
  });

  test('are in the list for other programs', async () => {
    const text = await (await fetch(`${server.origin()}/channels.m3u`)).text();
    const heading = `#EXTINF:-1 tvg-id="card.example" tvg-chno="7" tvg-logo="${logo}" group-title="Tests",Test Card`;
    assert.ok(text.includes(`${heading}\nsip:test-card@127.0.0.1\n`), text);
  });

  test('can be called, and have a thumbnail as long as they are on air', { timeout: 40_000 }, async () => {
    const thumbnail = () => fetch(`${server.origin()}/api/channels/test-card/thumbnail.jpg`);
    assert.equal((await thumbnail()).status, 404);
    const { hangUp } = await client.call('7', receiver.offer);
    await until('a key frame', () => receiver.keyFrameAtMs !== null);
    const response = await until('a thumbnail', async () => {
      const answer = await thumbnail();
      return answer.status === 200 && answer;
    });
    assert.equal(response.headers.get('content-type'), 'image/jpeg');
    const jpeg = Buffer.from(await response.arrayBuffer());
    assert.deepEqual([jpeg.readUInt16BE(0), jpeg.readUInt16BE(jpeg.length - 2)], [0xffd8, 0xffd9]);
    await hangUp();
    await until('the end of it', async () => (await thumbnail()).status === 404, 20_000);
  });

  test('show on the page what is on, and their logo', {
    skip: OUTSIDE || missing('chromium'),
    timeout: 60_000,
  }, async t => {
    const browser = await launchChromium();
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(server.origin(HOST));
    const row = await page.waitForSelector('a[data-channel="test-card"]:has(img:not([hidden]))', { timeout: 20_000 });
    const { words, width } = await row!.evaluate(link => ({
      words: link.querySelector('[data-part="programmes"]')?.textContent ?? '',
      width: link.querySelector('img')?.naturalWidth,
    }));
    assert.match(words, /^Colours · \d\d:\d\d.* Greys$/);
    assert.equal(width, 24);
  });
});
