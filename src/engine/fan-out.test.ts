import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { openSocket, Receiver } from '../../test/support/loopback.ts';
import { unprotect } from '../../test/support/srtp.ts';
import { AES_CM, GCM_RTP, HMAC_RTP, KEY_DERIVATION } from '../../test/vectors/srtp.ts';
import { type FanOut, loadNative, type SrtpKeys, type StreamOptions } from './native.ts';
import { deriveKeys } from './srtp/index.ts';

const native = loadNative();
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const OPTIONS: StreamOptions = {
  ssrc: 0xdecafbad,
  payloadType: 108,
  sequenceNumber: 1000,
  timestampOffset: 0xffff_ff00,
  srtp: null,
};
const KEYS: readonly SrtpKeys[] = [
  deriveKeys({ profile: 'AEAD_AES_128_GCM', key: randomBytes(16), salt: randomBytes(12) }, 'rtp'),
  deriveKeys({ profile: 'AES_CM_128_HMAC_SHA1_80', key: randomBytes(16), salt: randomBytes(14) }, 'rtp'),
];

/** One feed, and streams to one receiver. */
async function setUp(t: TestContext, ringPackets = 1024) {
  const fanOut = new native.FanOut();
  const socket = openSocket(t);
  const receiver = await Receiver.open(t);
  const feed = fanOut.addFeed(ringPackets);
  const watch = (options: Partial<StreamOptions> = {}, watched: number | null = feed) => {
    const stream = fanOut.addStream({ ...OPTIONS, ...options });
    fanOut.setPath(stream, socket, receiver.path);
    fanOut.subscribe(stream, watched);
    return stream;
  };
  return { fanOut, socket, receiver, feed, watch };
}

/** Pushes a frame of these payloads. */
function push(
  fanOut: FanOut,
  feed: number,
  payloads: readonly (Uint8Array | string)[],
  marker = true,
  timestamp = 256,
) {
  const parts = payloads.map(payload => Buffer.from(payload));
  return fanOut.push(
    feed,
    timestamp,
    Buffer.concat(parts),
    Uint16Array.from(parts, ({ length }) => length),
    marker,
  );
}

const sequenceNumbers = (packets: readonly Buffer[]) => packets.map(packet => packet.readUInt16BE(2));
const payloads = (packets: readonly Buffer[]) => packets.map(packet => packet.toString('latin1', 12));

/** Moves a stream that has no path yet on to a later sequence number. */
function skip(fanOut: FanOut, feed: number, packets: number): void {
  fanOut.push(feed, 0, Buffer.alloc(0), new Uint16Array(packets), false);
}

describe('plain RTP', { timeout: 10_000 }, () => {
  it('is a header as RFC 3550 §5.1 draws it, and the payload', async t => {
    const { fanOut, receiver, feed, watch } = await setUp(t);
    watch();
    assert.equal(push(fanOut, feed, ['ab', 'cd']), 2);
    assert.deepEqual(
      (await receiver.take(2)).map(packet => packet.toString('hex')),
      // V=2, payload type 108; sequence number; timestamp 256 + 0xffffff00 modulo 2^32; SSRC; the marker on the last.
      ['806c03e8 00000000 decafbad 6162', '80ec03e9 00000000 decafbad 6364'].map(packet => packet.replaceAll(' ', '')),
    );
  });

  it('has no marker when the frame has none', async t => {
    const { fanOut, receiver, feed, watch } = await setUp(t);
    watch();
    push(fanOut, feed, ['a'], false);
    assert.equal((await receiver.take(1))[0]?.[1], 108);
  });

  it("goes to every stream with the stream's own identity", async t => {
    const { fanOut, receiver, feed, watch } = await setUp(t);
    for (let ssrc = 1; ssrc <= 20; ssrc++) watch({ ssrc, sequenceNumber: ssrc, timestampOffset: ssrc });
    assert.equal(push(fanOut, feed, ['x', 'y'], true, 0), 40);
    const packets = await receiver.take(40);
    const identities = packets.map(packet => [packet.readUInt32BE(8), packet.readUInt32BE(4), packet.readUInt16BE(2)]);
    const expected = Array.from({ length: 20 }, (_, index) => index + 1).flatMap(n => [
      [n, n, n],
      [n, n, n + 1],
    ]);
    assert.deepEqual(identities, expected);
  });
});

describe('segmentation', { timeout: 60_000 }, () => {
  const text = (size: number, index: number) => Buffer.alloc(size, 97 + (index % 26));

  it('makes of one message the packets that go out one by one', async t => {
    for (const srtp of [null, ...KEYS]) {
      const { fanOut, socket, receiver, feed, watch } = await setUp(t);
      const parts = [100, 100, 100, 60].map(text);
      const together = watch({ srtp });
      push(fanOut, feed, parts);
      fanOut.removeStream(together);
      const other = fanOut.addFeed(16);
      watch({ srtp }, other);
      for (const [index, part] of parts.entries()) push(fanOut, other, [part], index === parts.length - 1);
      const packets = await receiver.drain(socket);
      assert.equal(packets.length, 8);
      assert.deepEqual(packets.slice(0, 4), packets.slice(4));
    }
  });

  it('keeps the payloads of any frame, whatever their sizes', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUp(t);
    watch({ srtp: KEYS[0]! });
    const size = fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 100, 200, 1400));
    const sizes = fc.array(fc.tuple(size, fc.integer({ min: 1, max: 12 })), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, async runs => {
        const parts = runs.flatMap(([bytes, count]) => Array<number>(count).fill(bytes)).map(text);
        assert.equal(push(fanOut, feed, parts), parts.length);
        const packets = (await receiver.drain(socket)).map(packet => unprotect(packet, KEYS[0]!));
        assert.deepEqual(payloads(packets), parts.map(String));
      }),
      { numRuns: 60 },
    );
  });

  it('sends a frame of more packets than one message holds', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUp(t);
    watch();
    const parts = Array.from({ length: 150 }, (_, index) => text(20, index));
    assert.equal(push(fanOut, feed, parts), 150);
    assert.deepEqual(payloads(await receiver.drain(socket)), parts.map(String));
  });

  it('sends a frame of more packets than the ring holds', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUp(t, 4);
    watch();
    const parts = Array.from({ length: 11 }, (_, index) => text(20 + (index % 3), index));
    assert.equal(push(fanOut, feed, parts), 11);
    const packets = await receiver.drain(socket);
    assert.deepEqual(payloads(packets), parts.map(String));
    assert.deepEqual(
      packets.map(packet => packet[1]! >> 7),
      [...Array(10).fill(0), 1],
    );
  });
});

describe('SRTP', { timeout: 10_000 }, () => {
  it('AEAD_AES_128_GCM is that of RFC 7714 §16.1.1', async t => {
    const { fanOut, socket, receiver } = await setUp(t);
    const plain = hex(GCM_RTP.plain);
    const feed = fanOut.addFeed(1);
    const srtp: SrtpKeys = {
      profile: 'AEAD_AES_128_GCM',
      encryptionKey: hex(GCM_RTP.key),
      salt: hex(GCM_RTP.salt),
      authenticationKey: Buffer.alloc(0),
    };
    const stream = fanOut.addStream({ ssrc: 0x5501a0b2, payloadType: 64, sequenceNumber: 0, timestampOffset: 0, srtp });
    fanOut.subscribe(stream, feed);
    skip(fanOut, feed, 0xf17b);
    fanOut.setPath(stream, socket, receiver.path);
    push(fanOut, feed, [plain.subarray(12)], false, 0x8041f8d3);
    assert.deepEqual(await receiver.take(1), [hex(GCM_RTP.protected)]);
  });

  it("AES_CM_128_HMAC_SHA1_80 is libsrtp's, with the keys of RFC 3711 §B.3", async t => {
    const { fanOut, receiver, feed, watch } = await setUp(t);
    const master = { key: hex(KEY_DERIVATION.masterKey), salt: hex(KEY_DERIVATION.masterSalt) };
    const srtp = deriveKeys({ profile: 'AES_CM_128_HMAC_SHA1_80', ...master }, 'rtp');
    watch({ ssrc: 0xcafebabe, payloadType: 15, sequenceNumber: 0x1234, timestampOffset: 0, srtp });
    push(fanOut, feed, [hex(HMAC_RTP.plain).subarray(12)], false, 0xdecafbad);
    assert.deepEqual(await receiver.take(1), [hex(HMAC_RTP.protected)]);
  });

  it('AES-CM has the keystream of RFC 3711 §B.2', async t => {
    const { fanOut, receiver, feed, watch } = await setUp(t);
    const keystream = hex(AES_CM.keystream);
    const srtp: SrtpKeys = {
      profile: 'AES_CM_128_HMAC_SHA1_80',
      encryptionKey: hex(AES_CM.key),
      salt: hex(AES_CM.salt),
      authenticationKey: Buffer.alloc(20),
    };
    watch({ ssrc: 0, sequenceNumber: 0, srtp });
    push(fanOut, feed, [Buffer.alloc(keystream.length)]);
    const [packet] = await receiver.take(1);
    assert.deepEqual(packet?.subarray(12, -10), keystream);
  });

  for (const srtp of KEYS) {
    it(`${srtp.profile} goes on over the end of the sequence numbers, with the next rollover counter`, async t => {
      const { fanOut, socket, receiver, feed } = await setUp(t, 8);
      const stream = fanOut.addStream({ ...OPTIONS, sequenceNumber: 0, srtp });
      fanOut.subscribe(stream, feed);
      skip(fanOut, feed, 0xffff);
      fanOut.setPath(stream, socket, receiver.path);
      push(fanOut, feed, ['last', 'first']);
      const [last, first] = (await receiver.take(2)) as [Buffer, Buffer];
      assert.deepEqual(sequenceNumbers([last, first]), [0xffff, 0]);
      assert.deepEqual(payloads([unprotect(last, srtp, 0), unprotect(first, srtp, 1)]), ['last', 'first']);
      assert.throws(() => unprotect(first, srtp, 0));
      assert.equal(fanOut.retransmit(stream, 0xffff), true);
      assert.equal(fanOut.retransmit(stream, 0), true);
      assert.deepEqual(await receiver.take(2), [last, first]);
    });
  }
});

describe('sequence numbers', { timeout: 10_000 }, () => {
  it('go on without a gap over pauses, other feeds and a return', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUp(t);
    const other = fanOut.addFeed(16);
    const stream = watch();
    const both = (text: string) => {
      push(fanOut, feed, [`feed ${text}`, `feed ${text}`]);
      push(fanOut, other, [`other ${text}`]);
    };
    both('1');
    fanOut.subscribe(stream, null);
    both('2');
    fanOut.subscribe(stream, other);
    both('3');
    fanOut.subscribe(stream, other);
    both('4');
    fanOut.subscribe(stream, feed);
    both('5');
    fanOut.removeFeed(feed);
    fanOut.subscribe(stream, other);
    push(fanOut, other, ['other 6']);
    const packets = await receiver.drain(socket);
    const texts = ['feed 1', 'feed 1', 'other 3', 'other 4', 'feed 5', 'feed 5', 'other 6'];
    assert.deepEqual(payloads(packets), texts);
    assert.deepEqual(
      sequenceNumbers(packets),
      texts.map((_, index) => 1000 + index),
    );
  });

  it('are not spent on what a paused stream misses, and a removed one gets nothing', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUp(t);
    const streams = [1, 2, 3].map(ssrc => watch({ ssrc }));
    fanOut.removeStream(streams[0]!);
    fanOut.subscribe(streams[1]!, null);
    push(fanOut, feed, ['a']);
    fanOut.subscribe(streams[1]!, feed);
    push(fanOut, feed, ['b']);
    const packets = await receiver.drain(socket);
    assert.deepEqual(
      packets.map(packet => [packet.readUInt32BE(8), packet.readUInt16BE(2)]),
      [
        [3, 1000],
        [3, 1001],
        [2, 1000],
      ],
    );
  });
});

describe('a retransmission', { timeout: 10_000 }, () => {
  for (const srtp of [null, ...KEYS]) {
    it(`is the same bytes again (${srtp?.profile ?? 'plain'})`, async t => {
      const { fanOut, receiver, feed, watch } = await setUp(t);
      const stream = watch({ srtp });
      push(fanOut, feed, ['one', 'two', 'three']);
      const packets = await receiver.take(3);
      for (const sequenceNumber of [1002, 1000, 1001]) assert.ok(fanOut.retransmit(stream, sequenceNumber));
      assert.deepEqual(await receiver.take(3), [packets[2], packets[0], packets[1]]);
      assert.equal(fanOut.stats(stream).packetsRetransmitted, 3);
    });
  }

  it('is refused for what was never sent, is too old, or belongs to another feed', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUp(t, 4);
    const stream = watch();
    assert.equal(fanOut.retransmit(stream, 1000), false);
    push(fanOut, feed, ['0', '1', '2', '3', '4']);
    for (const [sequenceNumber, sent] of [
      [999, false],
      [1000, false],
      [1001, true],
      [1004, true],
      [1005, false],
      [60_000, false],
    ] as const) {
      assert.equal(fanOut.retransmit(stream, sequenceNumber), sent, `${sequenceNumber}`);
    }
    const other = fanOut.addFeed(4);
    push(fanOut, other, ['x', 'x', 'x']);
    fanOut.subscribe(stream, other);
    assert.equal(fanOut.retransmit(stream, 1004), false);
    fanOut.subscribe(stream, null);
    assert.equal(fanOut.retransmit(stream, 1004), false);
    assert.deepEqual(payloads(await receiver.drain(socket)), ['0', '1', '2', '3', '4', '1', '4']);
  });
});

describe('what was sent', { timeout: 10_000 }, () => {
  it('is counted in packets and payload octets, for each stream and in all', async t => {
    const { fanOut, feed, watch } = await setUp(t);
    const [first, second] = [watch({ srtp: KEYS[0]! }), watch()] as const;
    push(fanOut, feed, ['12345', '123']);
    fanOut.subscribe(second, null);
    push(fanOut, feed, ['12']);
    const counts = { packetsDropped: 0, packetsRetransmitted: 0 };
    assert.deepEqual(fanOut.stats(first), { ...counts, packetsSent: 3, octetsSent: 10 });
    assert.deepEqual(fanOut.stats(second), { ...counts, packetsSent: 2, octetsSent: 8 });
    assert.deepEqual(fanOut.totals(), { packetsSent: 5, octetsSent: 18, packetsDropped: 0 });
  });

  it('and what the kernel did not take is counted apart', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUp(t);
    const nowhere = watch();
    fanOut.setPath(nowhere, socket, { ...receiver.path, remotePort: 0 });
    const somewhere = watch();
    assert.equal(push(fanOut, feed, ['a', 'a']), 2);
    assert.equal(fanOut.stats(nowhere).packetsDropped, 2);
    assert.equal(fanOut.stats(somewhere).packetsSent, 2);
    assert.equal(fanOut.totals().packetsDropped, 2);
    assert.equal((await receiver.drain(socket)).length, 2);
  });

  it('is nothing through a socket that is closed', async t => {
    const { fanOut, socket, feed, watch } = await setUp(t);
    const stream = watch();
    socket.close();
    assert.equal(push(fanOut, feed, ['a']), 0);
    assert.equal(fanOut.retransmit(stream, 1000), false);
  });

  it('is nothing before there is a path', () => {
    const fanOut = new native.FanOut();
    const feed = fanOut.addFeed(4);
    fanOut.subscribe(fanOut.addStream(OPTIONS), feed);
    assert.equal(push(fanOut, feed, ['a']), 0);
  });
});

describe('wrong arguments', () => {
  const wrong = <T>(value: unknown) => value as T;
  const gcm = KEYS[0]!;
  const cases: readonly [name: string, call: (fanOut: FanOut, feed: number, stream: number) => unknown][] = [
    ['a ring that is no power of two', fanOut => fanOut.addFeed(3)],
    ['a ring of nothing', fanOut => fanOut.addFeed(0)],
    ['a ring beyond all memory', fanOut => fanOut.addFeed(2 ** 31)],
    ['a negative SSRC', fanOut => fanOut.addStream({ ...OPTIONS, ssrc: -1 })],
    ['an SSRC of 33 bits', fanOut => fanOut.addStream({ ...OPTIONS, ssrc: 2 ** 32 })],
    ['half an SSRC', fanOut => fanOut.addStream({ ...OPTIONS, ssrc: 0.5 })],
    ['no SSRC', fanOut => fanOut.addStream({ ...OPTIONS, ssrc: wrong(undefined) })],
    ['a payload type of 8 bits', fanOut => fanOut.addStream({ ...OPTIONS, payloadType: 128 })],
    [
      'a first sequence number with the highest bit',
      fanOut => fanOut.addStream({ ...OPTIONS, sequenceNumber: 2 ** 15 }),
    ],
    ['a short key', fanOut => fanOut.addStream({ ...OPTIONS, srtp: { ...gcm, encryptionKey: Buffer.alloc(15) } })],
    [
      'a salt of the other profile',
      fanOut => fanOut.addStream({ ...OPTIONS, srtp: { ...gcm, salt: Buffer.alloc(14) } }),
    ],
    ['a profile that is none', fanOut => fanOut.addStream({ ...OPTIONS, srtp: { ...gcm, profile: wrong('NULL') } })],
    ['keys that are none', fanOut => fanOut.addStream({ ...OPTIONS, srtp: wrong('keys') })],
    ['no options', fanOut => fanOut.addStream(wrong(undefined))],
    ['a feed that is none', (fanOut, feed, stream) => fanOut.subscribe(stream, feed + 100)],
    ['a stream that is none', (fanOut, feed, stream) => fanOut.subscribe(stream + 100, feed)],
    ['a stream for a feed', (fanOut, _, stream) => push(fanOut, stream, ['a'])],
    ['a feed that was removed', (fanOut, feed) => [fanOut.removeFeed(feed), fanOut.removeFeed(feed)]],
    ['a stream that was removed', (fanOut, _, stream) => [fanOut.removeStream(stream), fanOut.stats(stream)]],
    ['sizes beyond the payloads', (fanOut, feed) => fanOut.push(feed, 0, Buffer.alloc(9), Uint16Array.of(5, 5), true)],
    ['a payload of 1401 bytes', (fanOut, feed) => push(fanOut, feed, [Buffer.alloc(1401)])],
    ['sizes of 32 bits', (fanOut, feed) => fanOut.push(feed, 0, Buffer.alloc(9), wrong(Uint32Array.of(9)), true)],
    ['payloads that are text', (fanOut, feed) => fanOut.push(feed, 0, wrong('text'), Uint16Array.of(4), true)],
    ['a timestamp of 33 bits', (fanOut, feed) => push(fanOut, feed, ['a'], true, 2 ** 32)],
    ['a sequence number of 17 bits', (fanOut, _, stream) => fanOut.retransmit(stream, 2 ** 16)],
    ['a socket that is none', (fanOut, _, stream) => fanOut.setPath(stream, wrong({}), wrong({}))],
  ];
  for (const [name, call] of cases) {
    it(`throw: ${name}`, () => {
      const fanOut = new native.FanOut();
      const feed = fanOut.addFeed(4);
      const stream = fanOut.addStream(OPTIONS);
      assert.throws(() => call(fanOut, feed, stream), Error);
    });
  }

  it('throw: a path that is none', t => {
    const fanOut = new native.FanOut();
    const stream = fanOut.addStream(OPTIONS);
    const socket = openSocket(t);
    const path = { remoteAddress: '127.0.0.1', remotePort: 9, localAddress: '' };
    for (const change of [
      { remoteAddress: 'localhost' },
      { remoteAddress: '::1' },
      { remotePort: 65_536 },
      { localAddress: '::1' },
      { localAddress: wrong<string>(undefined) },
    ]) {
      assert.throws(() => fanOut.setPath(stream, socket, { ...path, ...change }), Error);
    }
    fanOut.setPath(stream, socket, path);
  });
});
