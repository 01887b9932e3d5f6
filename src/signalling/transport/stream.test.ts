import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Certificates } from '../../../test/support/certificates.ts';
import type { KeyPair } from '../../config/index.ts';
import { LIMITS } from '../message/index.ts';
import { FakeClock } from '../testing.ts';
import { ConnectionLimits } from './connection-limits.ts';
import type { Flow, FlowHandlers } from './flow.ts';
import { type StreamOptions, StreamTransport } from './stream.ts';

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody';

const certificates = new Certificates();
after(() => certificates.remove());
const pairOf = (name: string): KeyPair => {
  const { certificate, key } = certificates.issue(name, ['127.0.0.1']);
  return { certificate: readFileSync(certificate), key: readFileSync(key) };
};
const [FIRST, SECOND] = [pairOf('first'), pairOf('second')];

const OPTIONS: StreamOptions = {
  address: '127.0.0.1',
  port: 0,
  tls: null,
  clock: new FakeClock(),
  connections: new ConnectionLimits({ total: 100, perSource: 100 }),
  handlers: { receive: () => undefined, closed: () => undefined, sent: () => undefined },
};

for (const { name, bound, address } of [
  { name: 'tcp', bound: '127.0.0.1', address: '127.0.0.1' },
  { name: 'tcp', bound: '::', address: '::1' },
  { name: 'tls', bound: '127.0.0.1', address: '127.0.0.1' },
] as const) {
  const tls = name === 'tls' ? FIRST : null;

  describe(`${name} bound to ${bound}, with a peer at ${address}`, () => {
    let transport: StreamTransport;
    /** What the peer speaks on, and the connection below it. */
    let peer: Socket;
    let wire: Socket;
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
      transport = await StreamTransport.listen({ ...OPTIONS, address: bound, tls, handlers });
      wire = connect(transport.port, address);
      peer = tls === null ? wire : connectTls({ socket: wire, host: address, ca: tls.certificate });
      await once(peer, tls === null ? 'connect' : 'secureConnect');
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
      assert.deepEqual([flow.transport, flow.reliable, flow.closed], [name, true, false]);
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
      wire.resetAndDestroy();
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
  const first = await StreamTransport.listen(OPTIONS);
  const second = StreamTransport.listen({ ...OPTIONS, port: first.port });
  await assert.rejects(second, { code: 'EADDRINUSE' });
  first.close();
});

describe('TLS', () => {
  let transport: StreamTransport;
  const listen = async () => {
    transport = await StreamTransport.listen({ ...OPTIONS, tls: FIRST });
  };
  afterEach(() => transport.close());

  const handshake = async (options: ConnectionOptions): Promise<TLSSocket> => {
    const peer = connectTls({ port: transport.port, host: '127.0.0.1', ...options });
    await once(peer, 'secureConnect');
    return peer;
  };

  test('gives a renewed certificate to new connections, and those that are open go on', async () => {
    await listen();
    const before = await handshake({ ca: FIRST.certificate });
    transport.renew(SECOND);
    await assert.rejects(handshake({ ca: FIRST.certificate }));
    const later = await handshake({ ca: SECOND.certificate });
    for (const peer of [before, later]) {
      const answer = once(peer, 'data');
      peer.write('\r\n\r\n');
      assert.equal(String((await answer)[0]), '\r\n');
      peer.destroy();
    }
  });

  for (const [version, accepted] of [
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ] as const) {
    test(`${accepted ? 'takes' : 'refuses'} ${version}`, async () => {
      await listen();
      // OpenSSL itself offers the old ones at its lowest security level alone.
      const only = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
      const shaken = handshake({ ...only, ca: FIRST.certificate });
      if (!accepted) return assert.rejects(shaken, /alert protocol version/);
      const peer = await shaken;
      assert.equal(peer.getProtocol(), version);
      peer.destroy();
    });
  }

  test('cuts off who talks something else', async () => {
    await listen();
    const peer = connect(transport.port, '127.0.0.1');
    peer.on('error', () => undefined).write(MESSAGE);
    await once(peer.resume(), 'close');
  });
});
