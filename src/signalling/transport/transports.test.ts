import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as openTcp } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../testing.ts';
import type { Flow } from './flow.ts';
import type { Target } from './target.ts';
import { type ListenPorts, Transports } from './transports.ts';

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n';

describe('a way to somebody else', () => {
  let transports: Transports;
  let ports: ListenPorts;
  let heard: PromiseWithResolvers<Flow>;

  const listening = async (addresses: readonly string[], udp: number | null = 0) => {
    ports = await transports.listen({ addresses, udp, tcp: 0, tls: null });
  };
  const target = (transport: Target['transport'], address: string, port: number): Target => {
    return { transport, address, port, serverName: 'tv.example' };
  };

  beforeEach(() => {
    heard = Promise.withResolvers();
    transports = new Transports({
      clock: new FakeClock(),
      random: () => 0,
      handlers: { receive: heard.resolve, closed: () => undefined, sent: () => undefined },
    });
  });
  afterEach(() => transports.close());

  test('over UDP goes out of our own port', async () => {
    await listening(['127.0.0.1']);
    const connection = await transports.connect(target('udp', '127.0.0.1', 5062));
    assert.ok('flow' in connection);
    const { localPort, remotePort } = connection.flow;
    assert.deepEqual([localPort, remotePort], [ports.udp, 5062]);
  });

  test('over TCP goes out of the address at which we listen', async () => {
    await listening(['127.0.0.2']);
    const connection = await transports.connect(target('tcp', '127.0.0.2', ports.tcp!));
    assert.ok('flow' in connection);
    assert.equal(connection.flow.localAddress, '127.0.0.2');
  });

  for (const [name, addresses, udp, to, fault] of [
    ['to another family than ours', ['127.0.0.1'], 0, target('tcp', '::1', 5060), 'TCP socket of ours leads to ::1'],
    ['over UDP when that is off', ['127.0.0.1'], null, target('udp', '127.0.0.1', 5060), 'UDP socket of ours leads to'],
  ] as const) {
    test(`${name} there is none`, async () => {
      await listening(addresses, udp);
      const connection = await transports.connect(to);
      assert.match('fault' in connection ? connection.fault : 'a way', new RegExp(fault));
    });
  }

  test('is never a connection that was opened to us, though its address be the same', async () => {
    await listening(['0.0.0.0']);
    const peer = openTcp(ports.tcp!, '127.0.0.1');
    await once(peer, 'connect');
    peer.write(MESSAGE);
    await heard.promise;
    const connection = await transports.connect(target('tcp', '127.0.0.1', peer.localPort!));
    assert.match('fault' in connection ? connection.fault : 'a way', /ECONNREFUSED/);
    peer.destroy();
  });

  test('closes with everything else', async () => {
    await listening(['127.0.0.1']);
    const peer = openTcp(ports.tcp!, '127.0.0.1');
    await once(peer, 'connect');
    const connection = await transports.connect(target('tcp', '127.0.0.1', ports.tcp!));
    assert.ok('flow' in connection);
    transports.close();
    assert.equal(connection.flow.closed, true);
    peer.destroy();
  });
});
