import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeHep, type HepPacket } from './hep.ts';

const PACKET: HepPacket = {
  source: { address: '192.0.2.7', port: 5062 },
  destination: { address: '192.0.2.1', port: 5060 },
  protocol: 'udp',
  atMs: 1_700_000_000_123,
  captureId: 4_242,
  correlationId: 'abc@x',
  payload: Buffer.from('OPTIONS'),
};

/** Written by hand from the table of generic chunks in the HEP3 Network Protocol Specification. */
const WIRE = [
  '48455033 0075',
  '0000 0001 0007 02',
  '0000 0002 0007 11',
  '0000 0003 000a c0000207',
  '0000 0004 000a c0000201',
  '0000 0007 0008 13c6',
  '0000 0008 0008 13c4',
  '0000 0009 000a 6553f100',
  '0000 000a 000a 0001e078',
  '0000 000b 0007 01',
  '0000 000c 000a 00001092',
  '0000 0011 000b 6162634078',
  '0000 000f 000d 4f5054494f4e53',
];

/** Values by chunk type, as anybody would read them. */
function chunks(packet: Buffer): Map<number, string> {
  assert.equal(packet.toString('latin1', 0, 4), 'HEP3');
  assert.equal(packet.readUInt16BE(4), packet.length);
  const found = new Map<number, string>();
  for (let at = 6; at < packet.length; at += packet.readUInt16BE(at + 4)) {
    assert.equal(packet.readUInt16BE(at), 0, 'no vendor');
    found.set(packet.readUInt16BE(at + 2), packet.toString('hex', at + 6, at + packet.readUInt16BE(at + 4)));
  }
  return found;
}

describe('a HEP3 packet', () => {
  test('is what the specification says, octet by octet', () => {
    assert.equal(encodeHep(PACKET).toString('hex'), WIRE.join('').replaceAll(' ', ''));
  });

  for (const [address, hex] of [
    ['2001:db8::7', '20010db8000000000000000000000007'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ] as const) {
    test(`has the IPv6 address ${address}`, () => {
      const packet = encodeHep({
        ...PACKET,
        protocol: 'tcp',
        source: { address, port: 1 },
        destination: { address, port: 2 },
      });
      const found = chunks(packet);
      assert.deepEqual([found.get(0x01), found.get(0x02)], ['0a', '06']);
      assert.deepEqual([found.get(0x05), found.get(0x06)], [hex, hex]);
      assert.deepEqual([found.has(0x03), found.has(0x04)], [false, false]);
    });
  }

  test('has no correlation id for a message without a Call-ID', () => {
    assert.equal(chunks(encodeHep({ ...PACKET, correlationId: null })).has(0x11), false);
  });

  test('of the longest message fits into a datagram, its end left out', () => {
    const packet = encodeHep({ ...PACKET, correlationId: 'c'.repeat(16_000), payload: Buffer.alloc(65_535, 'x') });
    assert.equal(packet.length, 65_507);
    const found = chunks(packet);
    assert.equal(found.get(0x11), '63'.repeat(1_024));
    assert.match(found.get(0x0f) ?? '', /^(?:78){64000,}$/);
  });
});
