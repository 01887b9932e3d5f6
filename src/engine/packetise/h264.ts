import { findNalUnits } from './annex-b.ts';
import type { Packetiser, Packets } from './packetiser.ts';
import { asBuffer, equalFragmentBytes, PayloadBuffer } from './payload-buffer.ts';

/** NAL unit types: ITU-T H.264 table 7-1, and RFC 6184 table 1. */
const NAL = { accessUnitDelimiter: 9, fillerData: 12, stapA: 24, fuA: 28 } as const;

const FORBIDDEN_BIT = 0x80;
const REFERENCE_BITS = 0x60;
const TYPE_BITS = 0x1f;

const FU_HEADERS_BYTES = 2;
const STAP_HEADER_BYTES = 1;
const STAP_LENGTH_BYTES = 2;

/**
 * H.264 (RFC 6184). Mode 0 sends each NAL unit in a packet of its own; mode 1 puts small neighbours, such as the
 * parameter sets before a key frame, together, and cuts large ones into equal fragments.
 */
export class H264Packetiser implements Packetiser {
  dropped = 0;
  readonly #mode: 0 | 1;
  readonly #buffer = new PayloadBuffer();
  readonly #bounds: number[] = [];

  constructor(packetizationMode: 0 | 1) {
    this.#mode = packetizationMode;
  }

  packetise(accessUnit: Uint8Array, maxPayloadBytes: number): Packets {
    const stream = asBuffer(accessUnit);
    const bounds = this.#bounds;
    const end = this.#findUseful(stream);
    this.#buffer.reset();
    for (let index = 0; index < end; ) {
      const bytes = bounds[index + 1]! - bounds[index]!;
      const together = this.#mode === 1 ? this.#fitTogether(index, end, maxPayloadBytes) : 2;
      if (together > 2) this.#aggregate(stream, index, index + together);
      else if (bytes <= maxPayloadBytes) this.#single(stream, bounds[index]!, bounds[index + 1]!);
      else if (this.#mode === 1) this.#fragment(stream, bounds[index]!, bounds[index + 1]!, maxPayloadBytes);
      else this.dropped++;
      index += together;
    }
    return this.#buffer.packets(true);
  }

  /** Bounds of the NAL units that tell a decoder something which RTP does not tell already. */
  #findUseful(stream: Buffer): number {
    const bounds = this.#bounds;
    const found = findNalUnits(stream, bounds);
    let kept = 0;
    for (let index = 0; index < found; index += 2) {
      const type = stream[bounds[index]!]! & TYPE_BITS;
      if (type === NAL.accessUnitDelimiter || type === NAL.fillerData) continue;
      bounds[kept++] = bounds[index]!;
      bounds[kept++] = bounds[index + 1]!;
    }
    return kept;
  }

  /** How many bounds, two for each NAL unit, go into one aggregate from `first` on; 2 when the unit stays alone. */
  #fitTogether(first: number, end: number, maxPayloadBytes: number): number {
    let bytes = STAP_HEADER_BYTES;
    let index = first;
    for (; index < end; index += 2) {
      bytes += STAP_LENGTH_BYTES + this.#bounds[index + 1]! - this.#bounds[index]!;
      if (bytes > maxPayloadBytes) break;
    }
    return Math.max(2, index - first);
  }

  #single(stream: Buffer, start: number, end: number): void {
    this.#buffer.begin();
    this.#buffer.write(stream, start, end);
  }

  /**
   * STAP-A (RFC 6184 §5.7.1)
   *
   *      0                   1                   2                   3
   *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
   *     +-+---+---------+-------------------------------+---------------+
   *     |F|NRI| 24      | length of the first NAL unit  | NAL unit …    |
   *     +-+---+---------+-------------------------------+---------------+
   *     |               | length of the second          | NAL unit …    |
   *     +---------------+-------------------------------+---------------+
   */
  #aggregate(stream: Buffer, first: number, end: number): void {
    const bounds = this.#bounds;
    let forbidden = 0;
    let reference = 0;
    for (let index = first; index < end; index += 2) {
      const header = stream[bounds[index]!]!;
      forbidden |= header & FORBIDDEN_BIT;
      reference = Math.max(reference, header & REFERENCE_BITS);
    }
    this.#buffer.begin();
    this.#buffer.writeUint8(forbidden | reference | NAL.stapA);
    for (let index = first; index < end; index += 2) {
      this.#buffer.writeUint16(bounds[index + 1]! - bounds[index]!);
      this.#buffer.write(stream, bounds[index]!, bounds[index + 1]!);
    }
  }

  /**
   * FU-A (RFC 6184 §5.8)
   *
   *      0                   1                   2                   3
   *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
   *     +-+---+---------+-+-+-+---------+-------------------------------+
   *     |F|NRI| 28      |S|E|R| type    | fragment, without NAL header  |
   *     +-+---+---------+-+-+-+---------+-------------------------------+
   */
  #fragment(stream: Buffer, start: number, end: number, maxPayloadBytes: number): void {
    const header = stream[start]!;
    const body = start + 1;
    const fragmentBytes = equalFragmentBytes(end - body, maxPayloadBytes - FU_HEADERS_BYTES);
    for (let from = body; from < end; from += fragmentBytes) {
      const to = Math.min(from + fragmentBytes, end);
      const startBit = from === body ? 0x80 : 0;
      const endBit = to === end ? 0x40 : 0;
      this.#buffer.begin();
      this.#buffer.writeUint8((header & (FORBIDDEN_BIT | REFERENCE_BITS)) | NAL.fuA);
      this.#buffer.writeUint8(startBit | endBit | (header & TYPE_BITS));
      this.#buffer.write(stream, from, to);
    }
  }
}
