import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RtpReceiver } from './support/rtp-receiver.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

const ADDRESSES = ['127.0.0.1', '::1'];

describe('one server with an IPv4 and an IPv6 address', () => {
  let server: DialcastServer;

  before(async () => {
    server = await DialcastServer.start({
      http: { address: ADDRESSES, port: 0 },
      sip: { address: ADDRESSES, udp: 0, tcp: 0 },
      media: { address: ADDRESSES, port: 0 },
    });
  });
  after(() => server?.stop());

  for (const { transport, address, connection } of [
    { transport: 'udp', address: '127.0.0.1', connection: 'IN IP4 127.0.0.1' },
    { transport: 'udp', address: '::1', connection: 'IN IP6 ::1' },
    { transport: 'tcp', address: '127.0.0.1', connection: 'IN IP4 127.0.0.1' },
    { transport: 'tcp', address: '::1', connection: 'IN IP6 ::1' },
  ] as const) {
    test(`is called over ${transport} at ${address} and sends its picture there`, { timeout: 30_000 }, async () => {
      const client = await SipClient.open(transport, server.ports[transport], address);
      const receiver = await RtpReceiver.open(address);
      const { answer, hangUp } = await client.call('clock', receiver.offer);
      assert.match(answer.text, new RegExp(`^c=${connection}\r$`, 'm'));
      const contact = `<sip:clock@${address.includes(':') ? `[${address}]` : address}:${server.ports[transport]};`;
      assert.ok(answer.text.includes(`\r\nContact: ${contact}`), answer.text);
      await until('a picture', () => receiver.packets > 50 && receiver.keyFrameAtMs !== null);
      assert.equal((await hangUp()).status, 200);
      await until('no call', async () => (await server.api<{ calls: [] }>('/api/calls')).calls.length === 0);
      client.close();
      receiver.close();
    });
  }

  test('serves the page at both', async () => {
    for (const host of ['127.0.0.1', '[::1]']) {
      assert.equal((await fetch(`${server.origin(host)}/healthz`)).status, 200);
    }
  });
});
