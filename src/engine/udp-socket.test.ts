import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { openSocket, Receiver } from '../../test/support/loopback.ts';
import { loadNative, type Path, type UdpSocketOptions } from './native.ts';

const { UdpSocket } = loadNative();
const onDatagram = () => undefined;

const hasIpv6 = Object.values(networkInterfaces()).some(each => each?.some(({ address }) => address === '::1'));
const IPV6 = { skip: hasIpv6 ? false : 'needs IPv6 on the loopback interface' };

describe('a UDP socket of the add-on', { timeout: 10_000 }, () => {
  it('tells both ends of the way on which a datagram came, and answers on it', async t => {
    const receiver = await Receiver.open(t);
    const received = Promise.withResolvers<[Buffer, Path]>();
    const socket = new UdpSocket({
      address: '0.0.0.0',
      port: 0,
      onDatagram: (...args) => received.resolve(args),
    });
    t.after(() => socket.close());
    // The whole of 127/8 is this machine; the answer has to come from the address that was asked.
    receiver.send(Buffer.from('ping'), socket.port, '127.0.0.2');
    const [datagram, path] = await received.promise;
    assert.equal(datagram.toString(), 'ping');
    assert.deepEqual(path, { ...receiver.path, localAddress: '127.0.0.2' });
    assert.equal(socket.send(Buffer.from('pong'), path), true);
    assert.deepEqual(await receiver.take(1), [Buffer.from('pong')]);
    assert.equal(receiver.lastAddress, '127.0.0.2');
  });

  it('carries IPv6, and no IPv4 on the same port', IPV6, async t => {
    const receiver = await Receiver.open(t, '::1');
    const six = new UdpSocket({ address: '::', port: 0, onDatagram });
    t.after(() => six.close());
    const four = new UdpSocket({ address: '0.0.0.0', port: six.port, onDatagram });
    t.after(() => four.close());
    assert.equal(six.send(Buffer.from('six'), receiver.path), true);
    assert.deepEqual(await receiver.take(1), [Buffer.from('six')]);
    assert.equal(four.send(Buffer.from('four'), receiver.path), false);
  });

  it('leaves a datagram that is longer than any of ours', async t => {
    const received: number[] = [];
    const last = Promise.withResolvers<void>();
    const socket = openSocket(t, ({ length }) => {
      received.push(length);
      if (length === 1) last.resolve();
    });
    const receiver = await Receiver.open(t);
    for (const bytes of [2048, 2049, 9000, 1]) receiver.send(Buffer.alloc(bytes), socket.port);
    await last.promise;
    assert.deepEqual(received, [2048, 1]);
  });

  it('says which port is taken', t => {
    const { port } = openSocket(t);
    assert.throws(() => new UdpSocket({ address: '127.0.0.1', port, onDatagram }), { code: 'EADDRINUSE' });
  });

  it('can be closed twice, and sends nothing after', t => {
    const socket = openSocket(t);
    socket.close();
    socket.close();
    assert.equal(socket.send(Buffer.of(1), { remoteAddress: '127.0.0.1', remotePort: 9, localAddress: '' }), false);
  });

  it('can be closed by what it calls', async t => {
    const closed = Promise.withResolvers<void>();
    const socket = openSocket(t, () => {
      socket.close();
      closed.resolve();
    });
    const receiver = await Receiver.open(t);
    receiver.send(Buffer.of(1), socket.port);
    receiver.send(Buffer.of(2), socket.port);
    await closed.promise;
    assert.equal(socket.send(Buffer.of(1), receiver.path), false);
  });

  for (const [name, change] of [
    ['a host name', { address: 'localhost' }],
    ['a port of 17 bits', { port: 65_536 }],
    ['nobody to call', { onDatagram: undefined }],
    ['half a buffer', { sendBufferBytes: 0.5 }],
  ] as const) {
    it(`throws for ${name}`, () => {
      const options = { address: '127.0.0.1', port: 0, onDatagram, ...change } as unknown as UdpSocketOptions;
      assert.throws(() => new UdpSocket(options), Error);
    });
  }

  for (const path of [
    { remoteAddress: 'localhost', remotePort: 9, localAddress: '' },
    { remoteAddress: '127.0.0.1', remotePort: -1, localAddress: '' },
    { remoteAddress: '127.0.0.1', remotePort: 9, localAddress: 'nowhere' },
  ]) {
    it(`throws for the path ${JSON.stringify(path)}`, t => {
      assert.throws(() => openSocket(t).send(Buffer.of(1), path), Error);
    });
  }
});
