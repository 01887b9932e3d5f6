import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Flow } from './flow.ts';
import { LocalAddresses } from './local-address.ts';
import { UdpTransport } from './udp.ts';

const locals = new LocalAddresses(
  () => ({}),
  () => 0,
);

for (const { bound, type, address } of [
  { bound: '127.0.0.1', type: 'udp4', address: '127.0.0.1' },
  { bound: '::1', type: 'udp6', address: '::1' },
] as const) {
  describe(`UDP bound to ${bound}, with a peer at ${address}`, () => {
    let transport: UdpTransport;
    let peer: Socket;
    let received: { flow: Flow; text: string }[];
    let sent: number;
    let onReceive: () => void;

    beforeEach(async () => {
      received = [];
      sent = 0;
      onReceive = () => undefined;
      transport = await UdpTransport.listen(bound, 0, locals, {
        receive: (flow, bytes) => {
          received.push({ flow, text: bytes.toString() });
          onReceive();
        },
        closed: () => undefined,
        sent: () => sent++,
      });
      peer = createSocket(type);
      await new Promise<void>(resolve => void peer.bind(0, address, resolve));
    });
    afterEach(() => {
      peer.close();
      transport.close();
    });

    /** Sends and waits until the last one is here; nothing on loopback overtakes. */
    async function say(...texts: string[]): Promise<Flow> {
      const { promise, resolve } = Promise.withResolvers<void>();
      onReceive = () => received.at(-1)?.text === texts.at(-1) && resolve();
      for (const text of texts) peer.send(text, transport.port, address);
      await promise;
      return received.at(-1)!.flow;
    }

    test('brings a datagram with its flow, and an answer back', async () => {
      const flow = await say('hello SIP');
      assert.deepEqual([flow.remoteAddress, flow.remotePort], [address, peer.address().port]);
      assert.deepEqual([flow.transport, flow.reliable, flow.closed], ['udp', false, false]);
      assert.deepEqual([flow.localAddress, flow.localPort], [bound, transport.port]);
      const answer = once(peer, 'message');
      assert.equal(flow.send(Buffer.from('answer')), true);
      const [bytes, from] = await answer;
      assert.deepEqual([bytes.toString(), from.port, sent], ['answer', transport.port, 1]);
    });

    test('takes what keeps a NAT open for nothing', async () => {
      await say('\r\n\r\n', '\0', '\r\n', 'hello SIP');
      assert.deepEqual(
        received.map(({ text }) => text),
        ['hello SIP'],
      );
    });

    test('sends nothing to port 0, and nothing once it is closed', async () => {
      const flow = await say('hello SIP');
      assert.equal(flow.toPort!(0).send(Buffer.from('x')), false);
      transport.close();
      transport.close();
      assert.deepEqual([flow.closed, flow.send(Buffer.from('late')), sent], [true, false, 0]);
    });
  });
}

test('a port that is taken rejects with the fault of the system', async () => {
  const handlers = { receive: () => undefined, closed: () => undefined, sent: () => undefined };
  const first = await UdpTransport.listen('127.0.0.1', 0, locals, handlers);
  await assert.rejects(UdpTransport.listen('127.0.0.1', first.port, locals, handlers), { code: 'EADDRINUSE' });
  first.close();
});
