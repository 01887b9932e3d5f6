import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCompound, type RtcpPacket } from '../rtcp/index.ts';
import { ntpTimestamp } from '../rtp/index.ts';
import { RtcpSession } from './rtcp-session.ts';
import type { ViewerStream } from './viewer.ts';

const VIDEO: ViewerStream = { kind: 'video', ssrc: 0x1111, clockRateHz: 90_000, timestampOffset: 500, nack: true };
const AUDIO: ViewerStream = {
  kind: 'audio',
  ssrc: 0x2222,
  clockRateHz: 48_000,
  timestampOffset: 0xffff_fff0,
  nack: false,
};

function setUp({ packetsSent = 10 } = {}) {
  const events: string[] = [];
  const session = new RtcpSession([VIDEO, AUDIO], 'tv', {
    keyFrameWanted: kind => events.push(`key frame of ${kind}`),
    retransmit: (kind, sequenceNumber) => events.push(`${kind} ${sequenceNumber}`),
    sent: kind => ({ packetsSent: kind === 'video' ? packetsSent : 2 * packetsSent, octetsSent: 1_000 }),
  });
  return { session, events };
}

/** Feedback (RFC 4585 §6.1). */
function feedback(
  packetType: 205 | 206,
  format: number,
  mediaSsrc: number,
  information: readonly number[] = [],
): Buffer {
  const packet = Buffer.alloc(12 + 4 * information.length);
  packet.writeUInt8(0x80 | format, 0);
  packet.writeUInt8(packetType, 1);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(0x9999, 4);
  packet.writeUInt32BE(mediaSsrc, 8);
  for (const [index, word] of information.entries()) packet.writeUInt32BE(word >>> 0, 12 + 4 * index);
  return packet;
}

const nack = (ssrc: number, ...words: number[]) => feedback(205, 1, ssrc, words);
const pli = (ssrc: number) => feedback(206, 1, ssrc);

describe('feedback', () => {
  for (const [name, compound, expected] of [
    ['PLI asks for a key frame', pli(0x1111), ['key frame of video']],
    ['FIR names its stream inside', feedback(206, 4, 0, [0x1111, 0x01000000]), ['key frame of video']],
    ['NACK names a packet and those after it', nack(0x1111, (7 << 16) | 0b101), ['video 7', 'video 8', 'video 10']],
    ['NACK goes on over the end of the numbers', nack(0x1111, 0xffff0001), ['video 65535', 'video 0']],
    ['NACK of a stream that does not offer it is left', nack(0x2222, 7 << 16), []],
    ["PLI of somebody else's stream is left", pli(0x3333), []],
    ["NACK of somebody else's stream is left", nack(0x3333, 7 << 16), []],
    [
      'all packets of a compound are read',
      Buffer.concat([pli(0x3333), nack(0x1111, 7 << 16), pli(0x1111)]),
      ['video 7', 'key frame of video'],
    ],
    ['what is no RTCP is left', Buffer.from('hello'), []],
  ] as const) {
    it(name, () => {
      const { session, events } = setUp();
      session.receive(compound);
      assert.deepEqual(events, expected);
    });
  }

  it('attack: one compound draws 64 packets and no more, however many it names', () => {
    const { session, events } = setUp();
    const words = Array.from({ length: 200 }, (_, index) => ((index * 17) << 16) | 0xffff);
    session.receive(Buffer.concat([nack(0x1111, ...words), nack(0x1111, 5 << 16)]));
    assert.equal(events.length, 64);
  });
});

describe('sender reports', () => {
  type SenderReport = Extract<RtcpPacket, { type: 'senderReport' }>;
  const NOW_US = 1_700_000_000_123_456n;

  function report(compound: Buffer): SenderReport {
    const [first] = parseCompound(compound);
    assert.equal(first?.type, 'senderReport');
    return first as SenderReport;
  }

  it('are made once a second, one for each stream', () => {
    const { session } = setUp();
    const at = (nowMs: number) => session.reports(nowMs, NOW_US).map(({ kind }) => kind);
    assert.deepEqual(
      [at(0), at(50), at(999), at(1_000), at(1_001)],
      [['video', 'audio'], [], [], ['video', 'audio'], []],
    );
  });

  it('say what was sent, and who sends it', () => {
    const { session } = setUp();
    const [video] = session.reports(0, NOW_US);
    const { ssrc, packetsSent, octetsSent } = report(video!.compound);
    assert.deepEqual([ssrc, packetsSent, octetsSent], [0x1111, 10, 1_000]);
    assert.deepEqual(parseCompound(video!.compound)[1], {
      type: 'sourceDescription',
      chunks: [{ ssrc: 0x1111, cname: 'tv' }],
    });
  });

  it('put picture and sound on one line of time: the same moment on both clocks', () => {
    const { session } = setUp();
    const [video, audio] = session.reports(0, NOW_US).map(({ compound }) => report(compound));
    assert.equal(video?.ntp, ntpTimestamp(NOW_US));
    assert.equal(audio?.ntp, video?.ntp);
    const unixSeconds = ({ timestamp }: SenderReport, { clockRateHz, timestampOffset }: ViewerStream) => {
      const cycles = (NOW_US * BigInt(clockRateHz)) / 1_000_000n;
      const ticks = BigInt.asUintN(32, BigInt(timestamp - timestampOffset) - cycles);
      return Number(BigInt.asIntN(32, ticks)) / clockRateHz;
    };
    // Both are the moment itself, to within a tick.
    assert.ok(Math.abs(unixSeconds(video!, VIDEO)) <= 1 / 48_000);
    assert.ok(Math.abs(unixSeconds(audio!, AUDIO)) <= 1 / 48_000);
  });

  it('are not made of a stream of which nothing was sent', () => {
    const { session } = setUp({ packetsSent: 0 });
    assert.deepEqual(session.reports(0, NOW_US), []);
  });
});

describe('the end', () => {
  it('is a BYE for each stream', () => {
    const goodbyes = setUp().session.goodbyes();
    assert.deepEqual(
      goodbyes.map(({ kind, compound }) => [kind, parseCompound(compound).at(-1)]),
      [
        ['video', { type: 'bye', ssrcs: [0x1111] }],
        ['audio', { type: 'bye', ssrcs: [0x2222] }],
      ],
    );
  });
});
