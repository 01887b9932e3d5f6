import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { LIMITS } from '../message/index.ts';
import { type Flow, type FlowHandlers, TcpTransport } from './index.ts';

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody';

for (const { bound, address } of [
  { bound: '127.0.0.1', address: '127.0.0.1' },
  // An IPv4 peer of an IPv6 socket.
  { bound: '::', address: '127.0.0.1' },
]) {
  describe(`TCP bound to ${bound}, with a peer at ${address}`, () => {
    let transport: TcpTransport;
    let peer: Socket;
    let flows: Flow[];
    let received: string[];
    let sent: number;
    let onReceive: () => void;
    let closed: PromiseWithResolvers<Flow>;

    beforeEach(async () => {
      flows = [];
      received = [];
      sent = 0;
      onReceive = () => undefined;
      closed = Promise.withResolvers();
      const handlers: FlowHandlers = {
        receive: (flow, bytes) => {
          flows.push(flow);
          received.push(bytes.toString());
          onReceive();
        },
        closed: closed.resolve,
        sent: () => sent++,
      };
      transport = await TcpTransport.listen(bound, 0, handlers);
      peer = connect(transport.port, address);
      await once(peer, 'connect');
    });
    afterEach(() => {
      peer.destroy();
      transport.close();
    });

    async function say(...texts: string[]): Promise<Flow> {
      const { promise, resolve } = Promise.withResolvers<void>();
      onReceive = resolve;
      for (const text of texts) peer.write(text);
      await promise;
      return flows[0]!;
    }

    test('brings a message with its flow, and an answer back', async () => {
      const flow = await say(MESSAGE.slice(0, 30), MESSAGE.slice(30));
      assert.deepEqual(received, [MESSAGE]);
      assert.deepEqual([flow.remoteAddress, flow.remotePort], [address, peer.localPort]);
      assert.deepEqual([flow.localAddress, flow.localPort], [address, transport.port]);
      assert.deepEqual([flow.transport, flow.reliable, flow.closed], ['tcp', true, false]);
      const answer = once(peer, 'data');
      assert.equal(flow.send(Buffer.from('answer')), true);
      assert.deepEqual([String((await answer)[0]), sent], ['answer', 1]);
    });

    test('answers a ping (RFC 5626), which is no message', async () => {
      const answer = once(peer, 'data');
      peer.write('\r\n\r\n');
      assert.equal(String((await answer)[0]), '\r\n');
      assert.deepEqual([received, sent], [[], 0]);
    });

    test('closes on a peer whose message is too large, and reads no more of it', async () => {
      peer.resume().write(`A x SIP/2.0\r\nContent-Length: ${LIMITS.messageBytes}\r\n\r\n${MESSAGE}`);
      const flow = await closed.promise;
      assert.deepEqual([received, flow.closed, flow.send(Buffer.from('x'))], [[], true, false]);
    });

    test('tells when its peer goes', async () => {
      const flow = await say(MESSAGE);
      peer.resume().end();
      assert.equal(await closed.promise, flow);
      assert.deepEqual([flow.closed, flow.send(Buffer.from('late')), sent], [true, false, 0]);
    });

    test('tells when its peer resets', async () => {
      const flow = await say(MESSAGE);
      peer.resetAndDestroy();
      assert.equal(await closed.promise, flow);
    });

    test('cuts off a peer that does not read', async () => {
      const flow = await say(MESSAGE);
      peer.pause();
      const chunk = Buffer.alloc(65_536);
      // More than the kernel's buffers on both sides can take.
      for (let round = 0; round < 1_000 && flow.send(chunk); round++);
      assert.equal(flow.closed, true);
      assert.equal(await closed.promise, flow);
    });

    test('sends what was said before it closes', async () => {
      const flow = await say(MESSAGE);
      flow.send(Buffer.from('bye'));
      const answer = once(peer, 'data');
      transport.close();
      assert.equal(String((await answer)[0]), 'bye');
      await once(peer.resume(), 'close');
    });
  });
}

test('a port that is taken rejects with the fault of the system', async () => {
  const handlers = { receive: () => undefined, closed: () => undefined, sent: () => undefined };
  const first = await TcpTransport.listen('127.0.0.1', 0, handlers);
  await assert.rejects(TcpTransport.listen('127.0.0.1', first.port, handlers), { code: 'EADDRINUSE' });
  first.close();
});
