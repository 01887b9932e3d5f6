/** Red, green, blue and opacity, each from 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number, opacity: number];

const CLEAR: Colour = [0, 0, 0, 0];

/** Colours of a region (CLUT family): those that were sent, and ETSI EN 300 743 §10 for the others. */
export class DvbColours {
  readonly #sent: Record<2 | 4 | 8, Map<number, Colour>> = { 2: new Map(), 4: new Map(), 8: new Map() };

  /** A CLUT definition segment's data from its second byte on (§7.2.4). */
  read(data: Buffer): void {
    for (let at = 1; at + 2 <= data.length; ) {
      const entry = data[at]!;
      const flags = data[at + 1]!;
      const isFull = (flags & 0x01) !== 0;
      if (at + (isFull ? 6 : 4) > data.length) return;
      const colour = isFull ? fullColour(data, at + 2) : shortColour(data.readUInt16BE(at + 2));
      if (flags & 0x80) this.#sent[2].set(entry, colour);
      if (flags & 0x40) this.#sent[4].set(entry, colour);
      if (flags & 0x20) this.#sent[8].set(entry, colour);
      at += isFull ? 6 : 4;
    }
  }

  of(depth: 2 | 4 | 8, entry: number): Colour {
    return this.#sent[depth].get(entry) ?? DEFAULTS[depth](entry);
  }
}

const shade = (part: number) => Math.round(part * 255);
/** Three colours by three bits of an entry. */
const mixed = (entry: number, first: number, part: number) =>
  [0, 1, 2].map(bit => (entry & (first << bit) ? part : 0)) as [number, number, number];

const DEFAULTS: Readonly<Record<2 | 4 | 8, (entry: number) => Colour>> = {
  2: entry => ([CLEAR, [255, 255, 255, 255], [0, 0, 0, 255], [127, 127, 127, 255]] as const)[entry] ?? CLEAR,
  4: entry => {
    if (entry === 0) return CLEAR;
    const [red, green, blue] = mixed(entry, 1, entry < 8 ? 255 : 127);
    return [red, green, blue, 255];
  },
  8: entry => {
    if (entry === 0) return CLEAR;
    if (entry < 8) return [...mixed(entry, 1, 255), 64];
    const isDark = (entry & 0x80) !== 0;
    const [small, large] = isDark ? [0.17, 0.33] : [0.33, 0.67];
    const base = isDark && (entry & 0x08) === 0 ? 0.5 : 0;
    const [low, high] = [mixed(entry, 0x01, small), mixed(entry, 0x10, large)];
    const [red, green, blue] = low.map((part, index) => shade(Math.min(1, base + part + high[index]!)));
    return [red!, green!, blue!, !isDark && (entry & 0x08) !== 0 ? 127 : 255];
  },
};

function fullColour(data: Buffer, at: number): Colour {
  return fromYCrCb(data[at]!, data[at + 1]!, data[at + 2]!, 255 - data[at + 3]!);
}

/** Six bits of luma, four of each chroma, two of transparency. */
function shortColour(bits: number): Colour {
  const transparency = (bits & 0x03) * 85;
  return fromYCrCb((bits >> 10) << 2, ((bits >> 6) & 0x0f) << 4, ((bits >> 2) & 0x0f) << 4, 255 - transparency);
}

/** ITU-R BT.601. A luma of zero is transparent, whatever is said of its transparency. */
function fromYCrCb(luma: number, cr: number, cb: number, opacity: number): Colour {
  if (luma === 0) return CLEAR;
  const [y, r, b] = [1.164 * (luma - 16), cr - 128, cb - 128];
  const byte = (value: number) => Math.max(0, Math.min(255, Math.round(value)));
  return [byte(y + 1.596 * r), byte(y - 0.813 * r - 0.392 * b), byte(y + 2.017 * b), opacity];
}
