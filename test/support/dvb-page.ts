/** Display sets of DVB subtitles (ETSI EN 300 743), written by hand. */

const PAGE_ID = 1;

const segment = (type: number, ...body: (number | readonly number[])[]) => {
  const data = body.flat();
  return [0x0f, type, 0, PAGE_ID, data.length >> 8, data.length & 0xff, ...data];
};
const word = (value: number) => [value >> 8, value & 0xff];

export interface DvbPage {
  readonly display?: { readonly width: number; readonly height: number };
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Of the region: 1 is of two bits, 2 of four, 3 of eight. */
  readonly depth?: 1 | 2 | 3;
  readonly timeoutSeconds?: number;
  /** Pixel data sub-blocks of the top and the bottom field. */
  readonly top: readonly number[];
  readonly bottom?: readonly number[];
  /** Luma, red and blue difference, transparency, each of eight bits, of each entry. */
  readonly colours?: readonly (readonly [entry: number, y: number, cr: number, cb: number, t: number])[];
}

/** A page with one region and one object in it, at an acquisition point. */
export function dvbPage(page: DvbPage): Buffer {
  const { display, x, y, width, height, depth = 2, timeoutSeconds = 10, top, bottom = [], colours = [] } = page;
  const entries = colours.flatMap(([entry, ...colour]) => [entry, (0x80 >> (depth - 1)) | 0x1f, ...colour]);
  return Buffer.from([
    ...(display ? segment(0x14, 0, word(display.width - 1), word(display.height - 1)) : []),
    ...segment(0x10, timeoutSeconds, 0b0100, 0, 0, word(x), word(y)),
    ...segment(0x11, 0, 0, word(width), word(height), (depth << 5) | (depth << 2), 0, 0, 0, word(7), word(0), word(0)),
    ...segment(0x12, 0, 0, entries),
    ...segment(0x13, word(7), 0, word(top.length), word(bottom.length), top, bottom),
    ...segment(0x80),
  ]);
}

/** A page with nothing on it. */
export const emptyDvbPage = (): Buffer => Buffer.from([...segment(0x10, 10, 0b0100), ...segment(0x80)]);
