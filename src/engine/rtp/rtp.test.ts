import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  demultiplex,
  isNewer,
  isRtcp,
  isRtp,
  ntpTimestamp,
  parseRtpHeader,
  rtpTimestamp,
  sequenceDistance,
  unixUs,
} from './index.ts';

describe('demultiplexing (RFC 7983)', () => {
  const datagram = (first: number, second: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes);
    buffer[0] = first;
    if (bytes > 1) buffer[1] = second;
    return buffer;
  };
  const cases: [name: string, first: number, second: number, bytes: number, kind: string][] = [
    ['a STUN request', 0, 1, 20, 'stun'],
    ['the last STUN byte', 3, 0, 20, 'stun'],
    ['STUN without its header', 0, 1, 19, 'unknown'],
    ['the gap after STUN', 4, 0, 100, 'unknown'],
    ['ZRTP', 16, 0, 100, 'unknown'],
    ['the first DTLS byte', 20, 254, 13, 'dtls'],
    ['a DTLS handshake', 22, 254, 200, 'dtls'],
    ['the last DTLS byte', 63, 254, 13, 'dtls'],
    ['DTLS without its header', 22, 254, 12, 'unknown'],
    ['a TURN channel', 64, 0, 100, 'unknown'],
    ['RTP version 1', 127, 96, 100, 'unknown'],
    ['RTP', 128, 96, 12, 'rtp'],
    ['RTP with marker', 144, 128 + 96, 12, 'rtp'],
    ['RTP with marker and payload type 0', 128, 128, 12, 'rtp'],
    ['RTP without its header', 128, 96, 11, 'unknown'],
    ['a sender report', 128, 200, 28, 'rtcp'],
    ['an empty receiver report', 128, 201, 8, 'rtcp'],
    ['payload-specific feedback', 129, 206, 12, 'rtcp'],
    ['the last RTCP type', 128, 223, 8, 'rtcp'],
    ['RTP right after the RTCP types', 128, 224, 12, 'rtp'],
    ['the byte after RTP', 192, 96, 100, 'unknown'],
  ];
  for (const [name, first, second, bytes, kind] of cases) {
    test(`${name} is ${kind}`, () => assert.equal(demultiplex(datagram(first, second, bytes)), kind));
  }

  test('an empty datagram is unknown', () => assert.equal(demultiplex(Buffer.alloc(0)), 'unknown'));

  test('nothing is RTP and RTCP at once', () => {
    fc.assert(fc.property(fc.uint8Array(), bytes => !(isRtp(bytes) && isRtcp(bytes))));
  });
});

describe('RTP header', () => {
  test('its fields are read, and the payload begins after CSRCs and extension', () => {
    const header = Buffer.from(
      '92e0 1234 00010203 deadbeef 00000001 00000002 bede 0001 10ff0000 aabb'.replaceAll(' ', ''),
      'hex',
    );
    assert.deepEqual(parseRtpHeader(header), {
      payloadType: 96,
      marker: true,
      sequenceNumber: 0x1234,
      timestamp: 0x00010203,
      ssrc: 0xdeadbeef,
      payloadOffset: 28,
    });
  });

  for (const [name, hex] of [
    ['shorter than 12 bytes', '8060123400010203deadbe'],
    ['with CSRCs beyond its end', '8160123400010203deadbeef000000'],
    ['with an extension header beyond its end', '9060123400010203deadbeefbede'],
    ['with an extension beyond its end', '9060123400010203deadbeefbede000110ff00'],
    ['of version 1', '4060123400010203deadbeef'],
  ] as const) {
    test(`a datagram ${name} is refused`, () => assert.equal(parseRtpHeader(Buffer.from(hex, 'hex')), null));
  }

  test('whatever comes, the payload begins inside the datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
        const header = parseRtpHeader(Buffer.from(bytes));
        return header === null || header.payloadOffset <= bytes.length;
      }),
    );
  });
});

describe('sequence numbers', () => {
  for (const [a, b, distance] of [
    [10, 12, 2],
    [12, 10, -2],
    [65_535, 0, 1],
    [0, 65_535, -1],
    [0, 32_767, 32_767],
    [0, 32_768, -32_768],
  ] as const) {
    test(`from ${a} to ${b} is ${distance}`, () => {
      assert.equal(sequenceDistance(a, b), distance);
      assert.equal(isNewer(b, a), distance > 0);
    });
  }
});

describe('clocks', () => {
  test('the Unix epoch in NTP time', () => assert.equal(ntpTimestamp(0n), 2_208_988_800n << 32n));

  test('half a second is half of 2^32', () => {
    assert.equal(BigInt.asUintN(32, ntpTimestamp(1_700_000_000_500_000n)), 1n << 31n);
  });

  test('NTP time wraps into its second era in February 2036', () => {
    assert.equal(ntpTimestamp(BigInt(Date.UTC(2036, 1, 7, 6, 28, 16)) * 1000n), 0n);
  });

  test('NTP timestamps give back the microsecond, in both eras', () => {
    const timeUs = fc.bigInt({ min: 0n, max: BigInt(Date.UTC(2100, 0)) * 1000n });
    fc.assert(fc.property(timeUs, time => unixUs(ntpTimestamp(time)) === time));
  });

  test('RTP time advances with the clock rate and wraps at 32 bits', () => {
    assert.equal(rtpTimestamp(1_000_000n, 90_000), 90_000);
    assert.equal(rtpTimestamp(20_000n, 48_000), 960);
    assert.equal(rtpTimestamp(((1n << 32n) * 1_000_000n) / 8_000n + 20_000n, 8_000), 160);
  });
});
