const EMULATION_PREVENTION = 3;
/** Longest Exp-Golomb prefix of a 32-bit number. */
const MAX_ZEROS = 31;

/** Reads the bits of a NAL unit's payload (ITU-T H.264 §7.2, §9.1). Beyond its end there are zeros, and `overrun` says so. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** `nalUnit` with its one-byte header, which is passed over. */
  constructor(nalUnit: Uint8Array) {
    this.#bytes = withoutEmulationPrevention(nalUnit.subarray(1));
  }

  get overrun(): boolean {
    return this.#at > this.#bytes.length * 8;
  }

  /** u(n), n ≤ 31. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++, this.#at++) {
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v) */
  unsigned(): number {
    let zeros = 0;
    while (zeros < MAX_ZEROS && !this.overrun && !this.flag()) zeros++;
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v) */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** §7.4.1: a three after two zeros is only there so that nothing looks like a start code. */
function withoutEmulationPrevention(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let count = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === EMULATION_PREVENTION) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    kept[count++] = byte;
  }
  return kept.subarray(0, count);
}
