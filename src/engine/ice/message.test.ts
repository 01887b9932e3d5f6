import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as vectors from '../../../test/vectors/rfc5769-stun.ts';
import { buildStun, errorCode, unknownAttributes, xorMappedAddress } from './build.ts';
import { isAuthentic, parseStun } from './message.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const TRANSACTION_ID = hex(vectors.TRANSACTION_ID);

describe('RFC 5769', () => {
  for (const [name, bytes, messageClass] of [
    ['§2.1 request', vectors.REQUEST, 'request'],
    ['§2.2 IPv4 response', vectors.IPV4_RESPONSE, 'success'],
    ['§2.3 IPv6 response', vectors.IPV6_RESPONSE, 'success'],
  ] as const) {
    test(`${name} is read and authentic`, () => {
      const message = parseStun(hex(bytes));
      assert.equal(message?.class, messageClass);
      assert.equal(message.method, 1);
      assert.equal(message.transactionId.toString('hex'), vectors.TRANSACTION_ID);
      assert.equal(isAuthentic(hex(bytes), message, vectors.PASSWORD), true);
      assert.equal(isAuthentic(hex(bytes), message, `${vectors.PASSWORD}x`), false);
    });

    test(`${name} with any bit before the FINGERPRINT changed is no longer accepted`, () => {
      const datagram = hex(bytes);
      for (let bit = 0; bit < 8 * (datagram.length - 8); bit++) {
        const changed = Buffer.from(datagram);
        changed[bit >> 3]! ^= 0x80 >> (bit & 7);
        const message = parseStun(changed);
        assert.ok(message === null || !isAuthentic(changed, message, vectors.PASSWORD), `bit ${bit}`);
      }
    });
  }

  test('§2.1 attributes of ICE are read', () => {
    const message = parseStun(hex(vectors.REQUEST));
    assert.equal(message?.username, vectors.USERNAME);
    assert.equal(message.priority, 0x6e0001ff);
    assert.equal(message.role, 'controlled');
    assert.equal(message.useCandidate, false);
    assert.deepEqual(message.unknownAttributes, []);
  });

  for (const { address, port, value } of [vectors.IPV4_MAPPED, vectors.IPV6_MAPPED]) {
    test(`${address} is mapped as in the samples`, () => {
      assert.equal(xorMappedAddress(address, port, TRANSACTION_ID).value.toString('hex'), value);
    });
  }
});

test('IPv6 addresses are mapped however they are written', () => {
  const mapped = (address: string) => xorMappedAddress(address, 1, Buffer.alloc(12)).value.toString('hex', 4);
  const cookie = '2112a442';
  assert.equal(mapped('::'), `${cookie}${'0'.repeat(24)}`);
  assert.equal(mapped('::1'), `${cookie}${'0'.repeat(23)}1`);
  assert.equal(mapped('fe80::1%eth0'), `df92a442${'0'.repeat(23)}1`);
  assert.equal(mapped('1:2:3:4:5:6:7:8'), '2113a440000300040005000600070008');
  assert.equal(mapped('64:ff9b::192.0.2.33'), '21765bd90000000000000000c0000221');
});

describe('building', () => {
  test('what is built reads back and is authentic', () => {
    const attributes = [errorCode(487), unknownAttributes([0x0003, 0x7fff, 0x0002])];
    const message = buildStun({ class: 'error', transactionId: TRANSACTION_ID, attributes, password: 'secret' });
    const read = parseStun(message);
    assert.equal(read?.class, 'error');
    assert.equal(read.errorCode, 487);
    assert.equal(isAuthentic(message, read, 'secret'), true);
  });

  test('without a password there is no MESSAGE-INTEGRITY, and nothing is authentic', () => {
    const message = buildStun({ class: 'indication', transactionId: TRANSACTION_ID, attributes: [], password: null });
    const read = parseStun(message);
    assert.equal(read?.integrityOffset, null);
    assert.equal(isAuthentic(message, read, ''), false);
  });
});

describe('what is no STUN message', () => {
  const header = (length: number) => `0001${length.toString(16).padStart(4, '0')}2112a442${vectors.TRANSACTION_ID}`;
  for (const [name, bytes] of [
    ['nothing', ''],
    ['a truncated header', header(0).slice(0, 38)],
    ['a first bit that is set', `8001${header(0).slice(4)}`],
    ['another cookie', header(0).replace('2112a442', '2112a443')],
    ['a length beyond the end', header(4)],
    ['a length short of the end', `${header(0)}00000000`],
    ['a length that is no multiple of four', `${header(2)}0000`],
    ['truncated attributes: a value beyond the end', `${header(4)}00060001`],
    ['a PRIORITY of three bytes', `${header(8)}0024000300000000`],
    ['a USE-CANDIDATE with a value', `${header(8)}0025000100000000`],
    ['an ICE-CONTROLLING of four bytes', `${header(8)}802a000400000000`],
    ['a MESSAGE-INTEGRITY of four bytes', `${header(8)}0008000400000000`],
    ['an ERROR-CODE of three bytes', `${header(8)}0009000300000000`],
    ['a wrong FINGERPRINT', `${header(8)}8028000400000000`],
    ['a FINGERPRINT that is not the last', `${header(16)}80280004000000008022000000000000`],
    ['an oversized message', `${header(1264)}802204ec${'00'.repeat(1260)}`],
    ['an oversized USERNAME', `${header(516)}00060200${'61'.repeat(512)}`],
  ] as const) {
    test(name, () => assert.equal(parseStun(hex(bytes)), null));
  }

  test('random bytes behind a good header never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        const body = bytes.subarray(0, bytes.length & ~3);
        const message = parseStun(Buffer.concat([hex(header(body.length)), body]));
        return message === null || message.class === 'request';
      }),
      { numRuns: 2000 },
    );
  });
});
