import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { VideoRendition } from '../../transcoder/wire.ts';
import { createPacketiser, MAX_PAYLOAD_BYTES, type Packets } from './index.ts';

const VIDEO = { kind: 'video', width: 1280, height: 720, frameRate: 30, bitrateBps: 2_500_000 } as const;
const h264 = (packetizationMode: 0 | 1): VideoRendition => ({ ...VIDEO, codec: 'h264', packetizationMode });
const VP8: VideoRendition = { ...VIDEO, codec: 'vp8', packetizationMode: 1 };

function split({ payloads, sizes }: Packets): Buffer[] {
  let offset = 0;
  const parts = Array.from(sizes, size => {
    offset += size;
    return Buffer.from(payloads.subarray(offset - size, offset));
  });
  assert.equal(offset, payloads.length);
  return parts;
}

const equalButLast = (sizes: Uint16Array) =>
  sizes.every((size, index) => size === sizes[0] || (index === sizes.length - 1 && size < sizes[0]!));

/** A receiver of RFC 6184 mode 1: the NAL units in their order. */
function depacketiseH264(payloads: Buffer[]): Buffer[] {
  const units: Buffer[] = [];
  let fragments: Buffer[] = [];
  for (const payload of payloads) {
    const type = payload[0]! & 0x1f;
    if (type === 28) {
      const start = (payload[1]! & 0x80) !== 0;
      assert.equal(start, fragments.length === 0, 'a fragment out of its place');
      if (start) fragments = [Buffer.of((payload[0]! & 0xe0) | (payload[1]! & 0x1f))];
      fragments.push(payload.subarray(2));
      if ((payload[1]! & 0x40) === 0) continue;
      assert.ok(!start, 'RFC 6184 §5.8: start and end must not meet');
      units.push(Buffer.concat(fragments));
      fragments = [];
    } else if (type === 24) {
      for (let offset = 1; offset < payload.length; ) {
        const bytes = payload.readUInt16BE(offset);
        units.push(payload.subarray(offset + 2, offset + 2 + bytes));
        offset += 2 + bytes;
      }
    } else {
      units.push(payload);
    }
  }
  assert.equal(fragments.length, 0, 'a NAL unit without end');
  return units;
}

const annexB = (units: readonly Uint8Array[], startCode: readonly number[] = [0, 0, 0, 1]) =>
  Buffer.concat(units.flatMap(unit => [Buffer.from(startCode), unit]));

/** A NAL unit of the given header whose bytes hold no start code. */
const unit = (header: number, bytes: number) =>
  Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? header : (i % 255) + 1)));

const SPS = unit(0x67, 12);
const PPS = unit(0x68, 4);
const AUD = Buffer.of(0x09, 0xf0);

describe('H.264, packetization mode 1', () => {
  test('parameter sets share one STAP-A whose NRI is the highest, and a large IDR becomes equal FU-As', () => {
    const idr = unit(0x25, 5000);
    const packets = createPacketiser(h264(1)).packetise(annexB([AUD, SPS, PPS, idr]), 1172);
    const payloads = split(packets);
    assert.equal(payloads[0]![0], 0x60 | 24);
    assert.deepEqual(depacketiseH264(payloads), [SPS, PPS, idr]);
    assert.deepEqual([...packets.sizes], [1 + 2 + 12 + 2 + 4, 1002, 1002, 1002, 1002, 1001]);
    assert.equal(packets.marker, true);
  });

  test('a NAL unit that fits exactly goes alone, one byte more makes two fragments', () => {
    const packetiser = createPacketiser(h264(1));
    assert.deepEqual([...packetiser.packetise(annexB([unit(0x41, 100)]), 100).sizes], [100]);
    assert.deepEqual([...packetiser.packetise(annexB([unit(0x41, 101)]), 100).sizes], [52, 52]);
  });

  test('an access unit of nothing but a delimiter and filler gives no packet', () => {
    const packets = createPacketiser(h264(1)).packetise(annexB([AUD, Buffer.of(0x0c, 0xff, 0x80)]), 1172);
    assert.deepEqual([packets.sizes.length, packets.payloads.length, packets.marker], [0, 0, false]);
  });

  test('bytes without a start code give no packet', () => {
    assert.equal(createPacketiser(h264(1)).packetise(Buffer.of(1, 2, 3), 1172).sizes.length, 0);
  });

  test('any access unit comes back whole, and its fragments are equal', () => {
    const packetiser = createPacketiser(h264(1));
    const nal = fc
      .tuple(fc.constantFrom(0x41, 0x65, 0x67, 0x68, 0x06, 0x01), fc.uint8Array({ maxLength: 400 }))
      // Emulation prevention keeps real NAL units free of start codes, and a stop bit ends them.
      .map(([header, body]) => Buffer.from([header, ...body.map(byte => byte || 1)]));
    const startCode = fc.constantFrom([0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0, 0, 1]);
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1 }), startCode, fc.integer({ min: 20, max: 300 }), (units, code, max) => {
        const packets = packetiser.packetise(annexB(units, code), max);
        const payloads = split(packets);
        assert.deepEqual(depacketiseH264(payloads), units);
        assert.ok(packets.sizes.every(size => size > 0 && size <= max));
        assert.equal(packets.marker, true);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 101, max: 20_000 }), bytes => {
        return equalButLast(packetiser.packetise(annexB([unit(0x41, bytes)]), 100).sizes);
      }),
    );
  });
});

describe('H.264, packetization mode 0', () => {
  test('each NAL unit has a packet of its own', () => {
    const units = [SPS, PPS, unit(0x65, 900), unit(0x65, 1172)];
    assert.deepEqual(split(createPacketiser(h264(0)).packetise(annexB([AUD, ...units]), 1172)), units);
  });

  test('a NAL unit that fits no packet is dropped and counted', () => {
    const packetiser = createPacketiser(h264(0));
    const packets = packetiser.packetise(annexB([unit(0x41, 1173), unit(0x41, 10)]), 1172);
    assert.deepEqual([...packets.sizes], [10]);
    assert.equal(packetiser.dropped, 1);
  });
});

describe('VP8', () => {
  test('any frame comes back whole in equal fragments, of which only the first begins the partition', () => {
    const packetiser = createPacketiser(VP8);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 5000 }),
        fc.integer({ min: 20, max: 1172 }),
        (frame, max) => {
          const packets = packetiser.packetise(frame, max);
          const payloads = split(packets);
          assert.deepEqual(Buffer.concat(payloads.map(payload => payload.subarray(1))), Buffer.from(frame));
          assert.deepEqual(
            payloads.map(payload => payload[0]),
            payloads.map((_, index) => (index === 0 ? 0x10 : 0)),
          );
          assert.ok(equalButLast(packets.sizes) && packets.sizes[0]! <= max && packets.marker);
        },
      ),
    );
  });

  test('an empty frame gives no packet', () => {
    assert.equal(createPacketiser(VP8).packetise(new Uint8Array(), 1172).sizes.length, 0);
  });
});

for (const codec of ['opus', 'pcma', 'pcmu'] as const) {
  describe(codec, () => {
    const frame = Buffer.alloc(160, 7);

    test('a frame is one payload without marker', () => {
      const packets = createPacketiser({ kind: 'audio', codec }).packetise(frame, MAX_PAYLOAD_BYTES);
      assert.deepEqual(split(packets), [frame]);
      assert.equal(packets.marker, false);
    });

    test('an empty frame gives no packet', () => {
      const packetiser = createPacketiser({ kind: 'audio', codec });
      assert.equal(packetiser.packetise(new Uint8Array(), MAX_PAYLOAD_BYTES).sizes.length, 0);
    });

    test('a frame that fits no packet is dropped and counted', () => {
      const packetiser = createPacketiser({ kind: 'audio', codec });
      assert.equal(packetiser.packetise(frame, 159).sizes.length, 0);
      assert.equal(packetiser.dropped, 1);
    });
  });
}

test('a packetiser is used again for frames of every size', () => {
  const packetiser = createPacketiser(VP8);
  for (const bytes of [10, 300_000, 20, 1_000_000, 5]) {
    const frame = Buffer.alloc(bytes, bytes & 0xff);
    const payloads = split(packetiser.packetise(frame, MAX_PAYLOAD_BYTES));
    assert.ok(Buffer.concat(payloads.map(payload => payload.subarray(1))).equals(frame));
  }
});

test('a datagram with the default payload, RTP header and SRTP tag has 1200 bytes', () => {
  assert.equal(12 + MAX_PAYLOAD_BYTES + 16, 1200);
});
