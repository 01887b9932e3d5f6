/** Reads the codes of a string of pixels (ETSI EN 300 743 §7.2.5.2); past the end there are zeros, which end it. */
class CodeReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #bit: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#bit = at * 8;
    this.#end = end;
  }

  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++, this.#bit++) {
      const at = this.#bit >> 3;
      value = (value << 1) | (at < this.#end ? (this.#bytes[at]! >> (7 - (this.#bit & 7))) & 1 : 0);
    }
    return value;
  }

  get isOver(): boolean {
    return this.#bit >> 3 >= this.#end;
  }

  /** The byte after what was read. */
  get nextByte(): number {
    return (this.#bit + 7) >> 3;
  }
}

type Run = readonly [length: number, code: number];

/** Each reads one run; null at the end of the string. */
const READERS: Readonly<Record<number, (reader: CodeReader) => Run | null>> = {
  2: reader => {
    const code = reader.bits(2);
    if (code !== 0) return [1, code];
    if (reader.bits(1) === 1) return [reader.bits(3) + 3, reader.bits(2)];
    if (reader.bits(1) === 1) return [1, 0];
    const kind = reader.bits(2);
    if (kind === 0) return null;
    if (kind === 1) return [2, 0];
    return kind === 2 ? [reader.bits(4) + 12, reader.bits(2)] : [reader.bits(8) + 29, reader.bits(2)];
  },
  4: reader => {
    const code = reader.bits(4);
    if (code !== 0) return [1, code];
    if (reader.bits(1) === 0) {
      const length = reader.bits(3);
      return length === 0 ? null : [length + 2, 0];
    }
    if (reader.bits(1) === 0) return [reader.bits(2) + 4, reader.bits(4)];
    const kind = reader.bits(2);
    if (kind < 2) return [kind + 1, 0];
    return kind === 2 ? [reader.bits(4) + 9, reader.bits(4)] : [reader.bits(8) + 25, reader.bits(4)];
  },
  8: reader => {
    const code = reader.bits(8);
    if (code !== 0) return [1, code];
    if (reader.bits(1) === 1) return [reader.bits(7), reader.bits(8)];
    const length = reader.bits(7);
    return length === 0 ? null : [length, 0];
  },
};

/** data_type, table 20. */
const STRINGS: Readonly<Record<number, number>> = { 16: 2, 17: 4, 18: 8 };
/** Map tables between depths, and their lengths. */
const TABLES: Readonly<Record<number, number>> = { 32: 2, 33: 4, 34: 16 };
const END_OF_LINE = 0xf0;

/** A region's pixels, each an entry of its colours. */
export interface PixelField {
  readonly width: number;
  readonly height: number;
  readonly depth: 2 | 4 | 8;
  readonly pixels: Uint8Array;
}

/**
 * Draws one field of an object, each second line from `y` on (§7.2.5.1). A string of fewer bits than the region has
 * keeps its codes, as long as nothing else was said.
 */
export function drawField(data: Buffer, region: PixelField, x: number, y: number): void {
  let [column, line] = [x, y];
  for (let at = 0; at < data.length && line < region.height; ) {
    const type = data[at++]!;
    const read = READERS[STRINGS[type] ?? 0];
    if (read !== undefined) {
      const reader = new CodeReader(data, at, data.length);
      for (let run = read(reader); run !== null; run = read(reader)) {
        const [length, code] = run;
        const from = line * region.width;
        region.pixels.fill(code, from + Math.min(column, region.width), from + Math.min(column + length, region.width));
        column += length;
        if (reader.isOver) break;
      }
      at = reader.nextByte;
    } else if (type === END_OF_LINE) {
      [column, line] = [x, line + 2];
    } else {
      at += TABLES[type] ?? 0;
    }
  }
}
