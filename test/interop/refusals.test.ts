import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DialcastServer } from './support/server.ts';
import { PLAIN_OFFER, SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

interface Listing {
  calls: { channel: string }[];
}

const CLOCK = { number: 101, name: 'clock', title: 'Clock', source: 'testcard:' };

/** G.729 alone, and a picture that nobody encodes any more. */
const STRANGE_OFFER = PLAIN_OFFER.replace(
  'm=audio 6000 RTP/AVP 8 0',
  'm=audio 6000 RTP/AVP 18\r\nm=video 6002 RTP/AVP 31',
);

const header = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(text)?.[1];

for (const transport of ['udp', 'tcp'] as const) {
  describe(`refused over ${transport.toUpperCase()}`, () => {
    let server: DialcastServer;
    let client: SipClient;

    before(async () => {
      server = await DialcastServer.start({ channels: [CLOCK] });
      client = await SipClient.open(transport, server.ports[transport]);
    });
    after(async () => {
      client?.close();
      await server?.stop();
    });

    test('an unknown channel: 404', async () => {
      const { status, reason } = await client.ask(client.request({ target: 'nothing', body: PLAIN_OFFER }));
      assert.deepEqual([status, reason], [404, 'No such channel']);
    });

    test('an offer that has nothing in common: 488, and no transcoder is started', async () => {
      const { status, reason } = await client.ask(client.request({ body: STRANGE_OFFER }));
      assert.equal(status, 488);
      assert.match(
        reason,
        /audio: offered G729; video: offered H261.*can give video H264, VP8; audio opus, PCMA, PCMU/,
      );
      assert.deepEqual(await server.transcoders(), []);
    });

    test('a body that is no SDP: 400', async () => {
      const { status, reason } = await client.ask(client.request({ body: 'hello\r\n' }));
      assert.equal(status, 400);
      assert.match(reason, /SDP/);
    });

    const BROKEN = {
      'a header line without a colon': (text: string) => text.replace('Max-Forwards: 70', 'Max-Forwards 70'),
      'a request line without a URI': (text: string) => text.replace(/^INVITE \S+ /, 'INVITE '),
      'two CSeq headers': (text: string) => text.replace(/^CSeq: .*\r\n/m, line => line + line),
      'a method that differs from the one in CSeq': (text: string) => text.replace(/^INVITE/, 'OPTIONS'),
    };
    for (const [name, spoil] of Object.entries(BROKEN)) {
      test(`${name}: 400`, async () => {
        const { status, reason } = await client.ask(spoil(client.request({ body: PLAIN_OFFER })));
        assert.equal(status, 400);
        assert.notEqual(reason, '');
      });
    }

    for (const [name, method, status] of [
      ['an unknown method', 'TELEPORT', 501],
      ['a method that is not served', 'PUBLISH', 405],
    ] as const) {
      test(`${name}: ${status} with Allow`, async () => {
        const answer = await client.ask(client.request({ method }));
        assert.equal(answer.status, status);
        const allow = header(answer.text, 'Allow')?.split(/, */) ?? [];
        for (const served of ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS']) assert.ok(allow.includes(served), served);
      });
    }

    test('noise is not answered and does no harm', async () => {
      const stranger = await SipClient.open(transport, server.ports[transport]);
      stranger.tell('\0\x01\x02 nothing that anybody speaks \r\n\r\n');
      const { status } = await client.ask(client.request({ method: 'OPTIONS' }));
      assert.equal(status, 200);
      stranger.close();
    });

    test('the number of a channel is the channel', async () => {
      const other = await SipClient.open(transport, server.ports[transport]);
      const first = await client.call('clock');
      const second = await other.call('101');
      const { calls } = await server.api<Listing>('/api/calls');
      assert.deepEqual(
        calls.map(({ channel }) => channel),
        ['clock', 'clock'],
      );
      assert.equal((await server.transcoders()).length, 1);
      assert.equal(await server.metric('dialcast_renditions_active'), 1);
      assert.equal((await first.hangUp()).status, 200);
      assert.equal((await second.hangUp()).status, 200);
      other.close();
    });
  });
}

test('when all places are taken: 503 with Retry-After, until one is free', async t => {
  const server = await DialcastServer.start({ channels: [CLOCK], limits: { viewers: 1 } });
  t.after(() => server.stop());
  const [client, other] = [
    await SipClient.open('udp', server.ports.udp),
    await SipClient.open('udp', server.ports.udp),
  ];
  t.after(() => [client, other].map(each => each.close()));
  const first = await client.call('clock');
  const { status, text } = await other.ask(other.request({ body: PLAIN_OFFER }));
  assert.equal(status, 503);
  assert.match(header(text, 'Retry-After') ?? '', /^\d+$/);
  await first.hangUp();
  const second = await other.call('clock');
  await second.hangUp();
});

test('without guests: 403', async t => {
  const server = await DialcastServer.start({ channels: [CLOCK], guests: false });
  t.after(() => server.stop());
  const client = await SipClient.open('udp', server.ports.udp);
  t.after(() => client.close());
  assert.equal((await client.ask(client.request({ body: PLAIN_OFFER }))).status, 403);
  assert.equal((await client.ask(client.request({ method: 'REGISTER' }))).status, 403);
});

describe('a source that cannot be opened', () => {
  let folder: string;
  let server: DialcastServer;
  let client: SipClient;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-sources-'));
    writeFileSync(join(folder, 'text.mp4'), 'These are words, not pictures.\n'.repeat(100));
    writeFileSync(join(folder, 'empty.mp4'), '');
    mkdirSync(join(folder, 'folder.mp4'));
    const names = ['missing', 'text', 'empty', 'folder'];
    const channels = names.map((name, index) => ({ number: 201 + index, name, source: `file:${folder}/${name}.mp4` }));
    server = await DialcastServer.start({ channels });
    client = await SipClient.open('udp', server.ports.udp);
  });
  after(async () => {
    client?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const FAULTS = {
    missing: /no such file/i,
    text: /is no media file/,
    empty: /is no media file/,
    folder: /directory|folder/i,
  };
  for (const [name, fault] of Object.entries(FAULTS)) {
    test(`${name}: 480, and the log names the file and the fault`, async t => {
      const { status, reason } = await client.ask(client.request({ target: name, body: PLAIN_OFFER }));
      t.diagnostic(reason);
      assert.equal(status, 480);
      assert.match(reason, fault);
      assert.ok(!reason.includes(folder), 'a caller is told where the file lies');
      const line = await server.logged(({ channel, code }) => channel === name && code === 'SOURCE_OPEN_FAILED');
      assert.equal(line.level, 'warn');
      assert.ok(line.msg.includes(`${name}.mp4`), line.msg);
      assert.match(line.msg, fault);
      await until('no transcoder', async () => (await server.transcoders()).length === 0);
    });
  }
});
