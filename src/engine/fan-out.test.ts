import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { payloads, push, SRTP_KEYS, STREAM, sequenceNumbers, setUpFanOut } from '../../test/support/fan-out.ts';
import { unprotect } from '../../test/support/srtp.ts';
import { loadNative } from './native.ts';

describe('plain RTP', { timeout: 10_000 }, () => {
  it('is a header as RFC 3550 §5.1 draws it, and the payload', async t => {
    const { fanOut, receiver, feed, watch } = await setUpFanOut(t);
    watch();
    assert.equal(push(fanOut, feed, ['ab', 'cd']), 2);
    assert.deepEqual(
      (await receiver.take(2)).map(packet => packet.toString('hex')),
      // V=2, payload type 108; sequence number; timestamp 256 + 0xffffff00 modulo 2^32; SSRC; the marker on the last.
      ['806c03e8 00000000 decafbad 6162', '80ec03e9 00000000 decafbad 6364'].map(packet => packet.replaceAll(' ', '')),
    );
  });

  it('has no marker when the frame has none', async t => {
    const { fanOut, receiver, feed, watch } = await setUpFanOut(t);
    watch();
    push(fanOut, feed, ['a'], false);
    assert.equal((await receiver.take(1))[0]?.[1], 108);
  });

  it("goes to every stream with the stream's own identity", async t => {
    const { fanOut, receiver, feed, watch } = await setUpFanOut(t);
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
    for (const srtp of [null, ...SRTP_KEYS]) {
      const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t);
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
    const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t);
    watch({ srtp: SRTP_KEYS[0]! });
    const size = fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 100, 200, 1400));
    const sizes = fc.array(fc.tuple(size, fc.integer({ min: 1, max: 12 })), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, async runs => {
        const parts = runs.flatMap(([bytes, count]) => Array<number>(count).fill(bytes)).map(text);
        assert.equal(push(fanOut, feed, parts), parts.length);
        const packets = (await receiver.drain(socket)).map(packet => unprotect(packet, SRTP_KEYS[0]!));
        assert.deepEqual(payloads(packets), parts.map(String));
      }),
      { numRuns: 60 },
    );
  });

  it('sends a frame of more packets than one message holds', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t);
    watch();
    const parts = Array.from({ length: 150 }, (_, index) => text(20, index));
    assert.equal(push(fanOut, feed, parts), 150);
    assert.deepEqual(payloads(await receiver.drain(socket)), parts.map(String));
  });

  it('sends a frame of more packets than the ring holds', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t, 4);
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

describe('sequence numbers', { timeout: 10_000 }, () => {
  it('go on without a gap over pauses, other feeds and a return', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t);
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
    const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t);
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
  for (const srtp of [null, ...SRTP_KEYS]) {
    it(`is the same bytes again (${srtp?.profile ?? 'plain'})`, async t => {
      const { fanOut, receiver, feed, watch } = await setUpFanOut(t);
      const stream = watch({ srtp });
      push(fanOut, feed, ['one', 'two', 'three']);
      const packets = await receiver.take(3);
      for (const sequenceNumber of [1002, 1000, 1001]) assert.ok(fanOut.retransmit(stream, sequenceNumber));
      assert.deepEqual(await receiver.take(3), [packets[2], packets[0], packets[1]]);
      assert.equal(fanOut.stats(stream).packetsRetransmitted, 3);
    });
  }

  it('is refused for what was never sent, is too old, or belongs to another feed', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t, 4);
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
    const { fanOut, feed, watch } = await setUpFanOut(t);
    const [first, second] = [watch({ srtp: SRTP_KEYS[0]! }), watch()] as const;
    push(fanOut, feed, ['12345', '123']);
    fanOut.subscribe(second, null);
    push(fanOut, feed, ['12']);
    const counts = { packetsDropped: 0, packetsRetransmitted: 0 };
    assert.deepEqual(fanOut.stats(first), { ...counts, packetsSent: 3, octetsSent: 10 });
    assert.deepEqual(fanOut.stats(second), { ...counts, packetsSent: 2, octetsSent: 8 });
    assert.deepEqual(fanOut.totals(), { packetsSent: 5, octetsSent: 18, packetsDropped: 0 });
  });

  it('and what the kernel did not take is counted apart', async t => {
    const { fanOut, socket, receiver, feed, watch } = await setUpFanOut(t);
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
    const { fanOut, socket, feed, watch } = await setUpFanOut(t);
    const stream = watch();
    socket.close();
    assert.equal(push(fanOut, feed, ['a']), 0);
    assert.equal(fanOut.retransmit(stream, 1000), false);
  });

  it('is nothing before there is a path', () => {
    const fanOut = new (loadNative().FanOut)();
    const feed = fanOut.addFeed(4);
    fanOut.subscribe(fanOut.addStream(STREAM), feed);
    assert.equal(push(fanOut, feed, ['a']), 0);
  });
});
