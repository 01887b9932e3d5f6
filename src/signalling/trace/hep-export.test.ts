import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { redactText } from '../../observe/index.ts';
import { serialise } from '../message/index.ts';
import { FakeClock, FakeFlow, makeRequest } from '../testing.ts';
import { encodeHep } from './hep.ts';
import { HepExport } from './hep-export.ts';
import { HepSocket } from './hep-socket.ts';

const OURS = { address: '192.0.2.1', port: 5060 };
const THEIRS = { address: '192.0.2.7', port: 5062 };

describe('the export to Homer', () => {
  for (const [direction, transport, source, destination, protocol] of [
    ['in', 'udp', THEIRS, OURS, 'udp'],
    ['out', 'udp', OURS, THEIRS, 'udp'],
    ['in', 'tcp', THEIRS, OURS, 'tcp'],
    ['out', 'wss', OURS, THEIRS, 'tcp'],
  ] as const) {
    test(`tells from whom to whom: ${direction} over ${transport}`, () => {
      const packets: Buffer[] = [];
      const hep = new HepExport({ captureId: 7, redact: redactText, send: packet => packets.push(packet) });
      const bytes = serialise(makeRequest('REGISTER', { callId: 'r' }));
      const flow = new FakeFlow(new FakeClock(), transport);
      hep.export({ atMs: 1_700_000_000_123, direction, flow, bytes, sipCallId: 'r' });
      const expected = { source, destination, protocol, atMs: 1_700_000_000_123, captureId: 7 };
      assert.deepEqual(packets, [encodeHep({ ...expected, correlationId: 'r', payload: bytes })]);
    });
  }

  test('tells no credentials and no private texts', () => {
    const packets: Buffer[] = [];
    const hep = new HepExport({ captureId: 7, redact: redactText, send: packet => packets.push(packet) });
    const flow = new FakeFlow(new FakeClock());
    for (const request of [
      makeRequest('REGISTER', { headers: [['authorization', 'Digest username="ann", response="5ca1ab1e"']] }),
      makeRequest('MESSAGE', { body: '5ca1ab1e' }),
    ]) {
      hep.export({ atMs: 0, direction: 'in', flow, bytes: serialise(request), sipCallId: 'call-1' });
    }
    const text = Buffer.concat(packets).toString('latin1');
    assert.ok(!text.includes('5ca1ab1e'), text);
    assert.match(text, /Authorization: \[redacted\]\r\n.*\r\n\r\n\[8 bytes\]$/s);
  });
});

describe('the way to a Homer server', () => {
  for (const [address, type] of [
    ['127.0.0.1', 'udp4'],
    ['::1', 'udp6'],
  ] as const) {
    test(`leads to ${address}`, async () => {
      const server = createSocket(type).bind(0, address);
      await once(server, 'listening');
      const socket = new HepSocket({ address, port: server.address().port });
      socket.send(Buffer.from('a packet'));
      const [packet] = await once(server, 'message');
      assert.equal(String(packet), 'a packet');
      socket.close();
      server.close();
    });
  }

  test('may lead nowhere', async () => {
    const gone = createSocket('udp4').bind(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address();
    const closed = once(gone, 'close');
    gone.close();
    await closed;
    const socket = new HepSocket({ address: '127.0.0.1', port });
    for (let n = 0; n < 10; n++) assert.doesNotThrow(() => socket.send(Buffer.from('a packet')));
    // No datagram holds as much.
    assert.doesNotThrow(() => socket.send(Buffer.alloc(70_000)));
    socket.close();
  });
});
