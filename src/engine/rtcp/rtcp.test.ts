import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ntpTimestamp } from '../rtp/index.ts';
import { buildBye, buildSenderReport, MAX_COMPOUND_BYTES, parseCompound, roundTripMs } from './index.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

const REPORT_BLOCK = '11223344 40 fffffe 0001abcd 00000078 aabb8000 00010000';
const REPORT_BLOCK_READ = {
  ssrc: 0x11223344,
  fractionLost: 0.25,
  cumulativeLost: -2,
  highestSequenceNumber: 0x1abcd,
  jitter: 120,
  lastSenderReport: 0xaabb8000,
  delaySinceLastSenderReport: 65_536,
};

describe('parsing', () => {
  const packets: [name: string, hex: string, read: object][] = [
    [
      'a receiver report',
      `81c90007 00000001 ${REPORT_BLOCK}`,
      { type: 'receiverReport', ssrc: 1, reports: [REPORT_BLOCK_READ] },
    ],
    [
      'a sender report',
      `81c8000c 00000001 e000000080000000 00001234 00000010 00002000 ${REPORT_BLOCK}`,
      {
        type: 'senderReport',
        ssrc: 1,
        ntp: 0xe000000080000000n,
        timestamp: 0x1234,
        packetsSent: 16,
        octetsSent: 8192,
        reports: [REPORT_BLOCK_READ],
      },
    ],
    [
      'a source description of two chunks, one without CNAME',
      '82ca0006 00000001 0103616263 0000 00 00000002 0203782079 000000',
      {
        type: 'sourceDescription',
        chunks: [
          { ssrc: 1, cname: 'abc' },
          { ssrc: 2, cname: null },
        ],
      },
    ],
    ['a goodbye with a reason', '82cb0004 00000001 00000002 05 6c6561766500 00', { type: 'bye', ssrcs: [1, 2] }],
    [
      'an application packet',
      '85cc0003 00000001 54455354 01020304',
      { type: 'application', ssrc: 1, subtype: 5, name: 'TEST', data: Buffer.of(1, 2, 3, 4) },
    ],
    [
      'a NACK whose bitmask wraps',
      '81cd0003 00000001 00000002 ffff8001',
      { type: 'nack', senderSsrc: 1, mediaSsrc: 2, sequenceNumbers: [0xffff, 0, 15] },
    ],
    ['a PLI', '81ce0002 00000001 00000002', { type: 'pli', senderSsrc: 1, mediaSsrc: 2 }],
    [
      'a FIR',
      '84ce0004 00000001 00000000 00000002 07000000',
      { type: 'fir', senderSsrc: 1, mediaSsrc: 2, commandSequenceNumber: 7 },
    ],
  ];
  for (const [name, bytes, read] of packets) {
    test(`${name} alone is read (reduced size)`, () => assert.deepEqual(parseCompound(hex(bytes)), [read]));
  }

  test('all of them in one compound are read in their order', () => {
    assert.deepEqual(
      parseCompound(hex(packets.map(([, bytes]) => bytes).join(''))),
      packets.map(([, , read]) => read),
    );
  });

  test('padding of the last packet is taken off', () => {
    assert.deepEqual(parseCompound(hex('a1ce0003 00000001 00000002 00000004')), [
      { type: 'pli', senderSsrc: 1, mediaSsrc: 2 },
    ]);
  });

  test('each entry of a FIR names a stream', () => {
    const fir = parseCompound(hex('84ce0006 00000001 00000000 00000002 07000000 00000003 08000000'));
    assert.deepEqual(
      fir.map(packet => packet.type === 'fir' && packet.mediaSsrc),
      [2, 3],
    );
  });

  const PLI = '81ce0002 00000001 00000002';
  for (const [name, bytes, packetsRead] of [
    ['REMB', `8fce0005 00000001 00000000 52454d42 01000000 00000002 ${PLI}`, 1],
    ['transport-wide congestion control', `8fcd0004 00000001 00000002 00010001 00000000 ${PLI}`, 1],
    ['an unknown packet type', `80cf0001 00000001 ${PLI}`, 1],
    ['a report with fewer blocks than it counts', `81c90001 00000001 ${PLI}`, 1],
    ['a goodbye with fewer sources than it counts', `82cb0001 00000001 ${PLI}`, 1],
    ['a source description whose item is too long', `81ca0002 00000001 01ff6162 ${PLI}`, 1],
    ['a source description without an end', `81ca0002 00000001 01026162 ${PLI}`, 1],
    ['feedback without a media source', `81ce0001 00000001 ${PLI}`, 1],
    ['a length beyond the end', `${PLI} 81ce0002 00000001`, 0],
    ['a rest of three bytes', `${PLI} 81ce00`, 0],
    ['version 1', `${PLI} 41ce0002 00000001 00000002`, 0],
    ['padding before the last packet', `a1ce0003 00000001 00000002 00000004 ${PLI}`, 0],
    ['padding longer than the packet', 'a1ce0002 00000001 000000ff', 0],
    ['padding of nothing', 'a1ce0002 00000001 00000000', 0],
    ['padding without a body', 'a0c90000', 0],
  ] as const) {
    test(`${name} leaves ${packetsRead === 1 ? 'the rest readable' : 'nothing'}`, () => {
      assert.equal(parseCompound(hex(bytes)).length, packetsRead);
    });
  }

  test('attack: a datagram full of NACKs is not read', () => {
    const bytes = 4 * Math.ceil(MAX_COMPOUND_BYTES / 4) + 4;
    const nacks = Buffer.alloc(bytes, 0xff);
    nacks.set([0x81, 205, (bytes / 4 - 1) >> 8, (bytes / 4 - 1) & 0xff]);
    assert.deepEqual(parseCompound(nacks), []);
  });

  test('random bytes never throw', () => {
    const packet = fc
      .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 199, max: 208 }), fc.uint8Array({ maxLength: 80 }))
      .map(([bits, type, bytes]) => {
        const body = bytes.subarray(0, bytes.length & ~3);
        return Buffer.concat([Buffer.of(0x80 | bits, type, 0, body.length / 4), body]);
      });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 6 }), fc.uint8Array({ maxLength: 8 }), (packets, rest) => {
        parseCompound(Buffer.concat(packets));
        parseCompound(Buffer.concat([...packets, rest]));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('building', () => {
  const info = {
    ssrc: 0xdeadbeef,
    ntp: ntpTimestamp(1_700_000_000_250_000n),
    timestamp: 7,
    packetsSent: 2,
    octetsSent: 3,
  };

  for (const cname of ['', 'a', 'ab', 'abc', 'abcd', 'x'.repeat(255)]) {
    test(`a sender report with a CNAME of ${cname.length} octets reads back`, () => {
      assert.deepEqual(parseCompound(buildSenderReport(info, cname)), [
        { type: 'senderReport', ...info, reports: [] },
        { type: 'sourceDescription', chunks: [{ ssrc: info.ssrc, cname }] },
      ]);
    });
  }

  test('counts wrap at 32 bits', () => {
    const [report] = parseCompound(buildSenderReport({ ...info, packetsSent: 2 ** 32 + 5, octetsSent: 2 ** 40 }, 'a'));
    assert.ok(report?.type === 'senderReport' && report.packetsSent === 5 && report.octetsSent === 0);
  });

  test('a goodbye begins with a report and names its source', () => {
    assert.deepEqual(parseCompound(buildBye(9, 'tv')), [
      { type: 'receiverReport', ssrc: 9, reports: [] },
      { type: 'sourceDescription', chunks: [{ ssrc: 9, cname: 'tv' }] },
      { type: 'bye', ssrcs: [9] },
    ]);
  });
});

describe('round-trip time', () => {
  const sentUs = 1_700_000_000_000_000n;
  const lastSenderReport = Number(BigInt.asUintN(32, ntpTimestamp(sentUs) >> 16n));

  test('is the time since the report less the time that the receiver held it', () => {
    const delaySinceLastSenderReport = 65_536 / 2;
    const milliseconds = roundTripMs({ lastSenderReport, delaySinceLastSenderReport }, ntpTimestamp(sentUs + 580_000n));
    assert.ok(milliseconds !== null && Math.abs(milliseconds - 80) < 0.1);
  });

  test('is unknown before the first report was heard', () => {
    assert.equal(roundTripMs({ lastSenderReport: 0, delaySinceLastSenderReport: 0 }, ntpTimestamp(sentUs)), null);
  });

  test('is unknown when the receiver claims to have held the report longer than it exists', () => {
    const delaySinceLastSenderReport = 2 * 65_536;
    assert.equal(
      roundTripMs({ lastSenderReport, delaySinceLastSenderReport }, ntpTimestamp(sentUs + 1_000_000n)),
      null,
    );
  });

  test('survives the wrap of the 32-bit clock', () => {
    const delaySinceLastSenderReport = 0;
    const milliseconds = roundTripMs({ lastSenderReport: 0xffff_f000, delaySinceLastSenderReport }, 0x1000n << 16n);
    assert.equal(milliseconds, (0x2000 * 1000) / 65_536);
  });
});
