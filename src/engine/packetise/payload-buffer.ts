import type { Packets } from './packetiser.ts';

/** Where a packetiser writes: grows to the largest frame seen and is used again for each. */
export class PayloadBuffer {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #sizes = new Uint16Array(64);
  #length = 0;
  #count = 0;

  reset(): void {
    this.#length = 0;
    this.#count = 0;
  }

  /** Begins the next payload. */
  begin(): void {
    if (this.#count === this.#sizes.length) {
      const grown = new Uint16Array(2 * this.#sizes.length);
      grown.set(this.#sizes);
      this.#sizes = grown;
    }
    this.#sizes[this.#count++] = 0;
  }

  writeUint8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length - 1] = value;
  }

  writeUint16(value: number): void {
    this.#reserve(2);
    this.#bytes.writeUInt16BE(value, this.#length - 2);
  }

  write(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    source.copy(this.#bytes, this.#length - (end - start), start, end);
  }

  packets(marker: boolean): Packets {
    return {
      payloads: this.#bytes.subarray(0, this.#length),
      sizes: this.#sizes.subarray(0, this.#count),
      marker: marker && this.#count > 0,
    };
  }

  #reserve(bytes: number): void {
    this.#length += bytes;
    this.#sizes[this.#count - 1]! += bytes;
    if (this.#length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * this.#length);
    this.#bytes.copy(grown, 0, 0, this.#length - bytes);
    this.#bytes = grown;
  }
}

/** The bytes' own Buffer view: `copy` and `indexOf` then need no further views. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The size that spreads a frame over as few fragments as possible, all but the last of them equal: the kernel can
 * then cut one large send into packets (UDP_SEGMENT).
 */
export function equalFragmentBytes(totalBytes: number, maxFragmentBytes: number): number {
  return Math.ceil(totalBytes / Math.ceil(totalBytes / maxFragmentBytes));
}
