import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { Certificates } from '../../../test/support/certificates.ts';
import { FakeClock } from '../testing.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { type StreamOptions, StreamTransport } from './stream.ts';

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody';
const LIMITS = { firstMessageMs: 300, messageMs: 100, idleMs: 1_000, unsentBytes: 1_000, handshakeMs: 50 };

const certificates = new Certificates();
after(() => certificates.remove());

describe('attack:', () => {
  let clock: FakeClock;
  let transport: StreamTransport;
  let peers: Socket[];
  let received: number;
  let closed: number;

  beforeEach(() => {
    clock = new FakeClock();
    peers = [];
    [received, closed] = [0, 0];
  });
  afterEach(() => {
    for (const peer of peers) peer.destroy();
    transport.close();
  });

  async function listen(options: Partial<StreamOptions> = {}): Promise<void> {
    transport = await StreamTransport.listen({
      address: '127.0.0.1',
      port: 0,
      tls: null,
      clock,
      connections: new ConnectionLimits({ total: 100, perSource: 3 }),
      limits: LIMITS,
      handlers: { receive: () => received++, closed: () => closed++, sent: () => undefined },
      ...options,
    });
  }

  async function open(): Promise<Socket> {
    const peer = connect(transport.port, '127.0.0.1').on('error', () => undefined);
    peers.push(peer);
    await once(peer, 'connect');
    return peer;
  }

  /** The pong to a ping says that the server has read everything before it. */
  async function say(peer: Socket, text: string): Promise<void> {
    const pong = once(peer, 'data');
    peer.write(`${text}\r\n\r\n`);
    await pong;
  }

  /** However it ends, be it in the middle of what the peer still writes. */
  const gone = (peer: Socket) => new Promise(resolve => void peer.resume().once('close', resolve));

  test('a slow sender, byte by byte', async () => {
    await listen();
    const peer = await open();
    await say(peer, MESSAGE);
    const opened = clock.pending;
    peer.write(`${MESSAGE}\r\n\r\nOPT`);
    // The last message's pong comes with the beginning of the next one.
    await once(peer, 'data');
    for (const byte of 'IONS') {
      clock.advance(24);
      peer.write(byte);
    }
    assert.deepEqual([peer.destroyed, clock.pending], [false, opened]);
    const end = gone(peer);
    clock.advance(4);
    await end;
    assert.deepEqual([received, closed, clock.pending], [2, 1, 0]);
  });

  test('pings without end, and never a message', async () => {
    await listen();
    const peer = await open();
    for (let round = 0; round < 3; round++) {
      await say(peer, '');
      clock.advance(99);
    }
    const end = gone(peer);
    clock.advance(3);
    await end;
    assert.equal(received, 0);
  });

  test('a connection that goes idle after a message', async () => {
    await listen();
    const peer = await open();
    await say(peer, MESSAGE);
    clock.advance(999);
    await say(peer, '');
    clock.advance(999);
    assert.equal(closed, 0);
    const end = gone(peer);
    clock.advance(1);
    await end;
  });

  test('a header of 10 MB', async () => {
    await listen();
    const peer = await open();
    const end = gone(peer);
    peer.write(`OPTIONS sip:a@b SIP/2.0\r\nX: ${'x'.repeat(10_000_000)}`);
    await end;
    assert.equal(received, 0);
  });

  test('many idle connections from one source', async () => {
    await listen();
    const kept = [await open(), await open(), await open()];
    await gone(await open());
    // Those before it are served as ever, and one that leaves makes room.
    await say(kept[0]!, MESSAGE);
    kept[1]!.destroy();
    await say(kept[2]!, MESSAGE);
    await say(await open(), MESSAGE);
    assert.equal(received, 3);
  });

  test('many connections from many sources', async () => {
    await listen({ connections: new ConnectionLimits({ total: 1, perSource: 1 }) });
    const first = await open();
    await say(first, MESSAGE);
    await gone(await open());
  });

  describe('over TLS', () => {
    const files = certificates.issue('tv', ['127.0.0.1']);
    const tls = { certificate: readFileSync(files.certificate), key: readFileSync(files.key) };
    /** The beginning of a ClientHello, and no more. */
    const HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);

    test('a handshake that is never finished', async () => {
      await listen({ tls });
      const peer = await open();
      peer.write(HELLO);
      await gone(peer);
    });

    test('many handshakes that are never finished, from one source', async () => {
      await listen({ tls, limits: { ...LIMITS, handshakeMs: 60_000 } });
      for (const peer of [await open(), await open(), await open()]) peer.write(HELLO);
      await gone(await open());
    });
  });
});
