import { DvbColours } from './dvb-colours.ts';
import { drawField, type PixelField } from './dvb-pixels.ts';
import { BYTES_PER_PIXEL, bgraFrame, type Layer, type PictureSize, type SubtitleTrack } from './layer.ts';

/** segment_type, ETSI EN 300 743 table 7. */
const SEGMENT = { page: 0x10, region: 0x11, colours: 0x12, object: 0x13, display: 0x14 } as const;
const SYNC_BYTE = 0x0f;
const HEADER_BYTES = 6;

/** What a page is drawn for that does not say so: standard definition. */
const USUAL_DISPLAY = { width: 720, height: 576 };
/** More is no television. */
const MOST_SIDE = 4_096;
const MOST_PIXELS = 1920 * 1080;
const MOST_REGIONS = 16;
/** A region that is 1 high has one field, and a page that is read ahead waits with a few others. */
const MOST_PAGES = 100;

interface Region extends PixelField {
  readonly coloursId: number;
  /** Where each object is in it. */
  readonly objects: readonly { readonly id: number; readonly x: number; readonly y: number }[];
}

/** What is seen from a moment on, until the next page or its own end. */
interface Page {
  readonly startUs: number;
  readonly endUs: number;
  /** Null for a page with nothing on it. */
  readonly picture: { x: number; y: number; width: number; height: number; pixels: Buffer } | null;
  readonly display: { readonly width: number; readonly height: number };
}

/**
 * Subtitles as pictures in the way of DVB (ETSI EN 300 743). A packet is a display set:
 *
 *     0x0f | segment_type (8) | page_id (16) | segment_length (16) | data …
 */
export class DvbSubtitles implements SubtitleTrack {
  /** Of the composition and ancillary page; null when the stream does not say which are its own. */
  readonly #pageIds: readonly number[] | null;
  readonly #regions = new Map<number, Region>();
  readonly #colours = new Map<number, DvbColours>();
  #places: readonly { readonly regionId: number; readonly x: number; readonly y: number }[] = [];
  #timeoutUs = 0;
  #display = USUAL_DISPLAY;
  #pages: Page[] = [];
  #shown: Page | null = null;
  #size = '';
  #layer: Layer | null = null;

  /** `extradata` is the descriptor's: the two page ids. */
  constructor(extradata: Buffer | null) {
    this.#pageIds =
      extradata !== null && extradata.length >= 4 ? [extradata.readUInt16BE(0), extradata.readUInt16BE(2)] : null;
  }

  take(data: Buffer, dueUs: number): void {
    let isPage = false;
    // The PES header's data_identifier and subtitle_stream_id, where they were left on.
    let at = data[0] === 0x20 ? 2 : 0;
    while (at + HEADER_BYTES <= data.length && data[at] === SYNC_BYTE) {
      const type = data[at + 1]!;
      const pageId = data.readUInt16BE(at + 2);
      const end = at + HEADER_BYTES + data.readUInt16BE(at + 4);
      if (end > data.length) break;
      const body = data.subarray(at + HEADER_BYTES, end);
      if (this.#pageIds === null || this.#pageIds.includes(pageId)) {
        this.#readSegment(type, body);
        isPage ||= type === SEGMENT.page;
      }
      at = end;
    }
    if (!isPage) return;
    const page = { startUs: dueUs, endUs: dueUs + this.#timeoutUs, picture: this.#compose(), display: this.#display };
    this.#pages = [...this.#pages, page].slice(-MOST_PAGES);
  }

  at(ptsUs: number, picture: PictureSize): Layer | null {
    while (this.#pages[1] !== undefined && this.#pages[1].startUs <= ptsUs) this.#pages.shift();
    const [first] = this.#pages;
    const page = first !== undefined && first.startUs <= ptsUs && ptsUs < first.endUs ? first : null;
    const size = `${picture.width}x${picture.height}`;
    if (page === this.#shown && size === this.#size) return this.#layer;
    this.#layer?.frame.free();
    [this.#shown, this.#size] = [page, size];
    this.#layer = page === null ? null : layerOf(page, picture);
    return this.#layer;
  }

  close(): void {
    this.#layer?.frame.free();
    this.#layer = null;
  }

  #readSegment(type: number, body: Buffer): void {
    if (type === SEGMENT.page && body.length >= 2) this.#readPage(body);
    else if (type === SEGMENT.region && body.length >= 10) this.#readRegion(body);
    else if (type === SEGMENT.colours && body.length >= 2) this.#readColours(body);
    else if (type === SEGMENT.object && body.length >= 7) this.#readObject(body);
    else if (type === SEGMENT.display && body.length >= 5) {
      const [width, height] = [body.readUInt16BE(1) + 1, body.readUInt16BE(3) + 1];
      if (width <= MOST_SIDE && height <= MOST_SIDE) this.#display = { width, height };
    }
  }

  /** §7.2.2. With an acquisition point or a mode change all of it is sent anew. */
  #readPage(body: Buffer): void {
    this.#timeoutUs = body[0]! * 1_000_000;
    const isNew = ((body[1]! >> 2) & 0x03) !== 0;
    if (isNew) {
      this.#regions.clear();
      this.#colours.clear();
    }
    const places = [];
    for (let at = 2; at + 6 <= body.length; at += 6) {
      places.push({ regionId: body[at]!, x: body.readUInt16BE(at + 2), y: body.readUInt16BE(at + 4) });
    }
    this.#places = places.slice(0, MOST_REGIONS);
  }

  /** §7.2.3. */
  #readRegion(body: Buffer): void {
    const id = body[0]!;
    const isFilled = (body[1]! & 0x08) !== 0;
    const [width, height] = [body.readUInt16BE(2), body.readUInt16BE(4)];
    const depth = ({ 1: 2, 2: 4, 3: 8 } as const)[(body[6]! >> 2) & 0x07] ?? null;
    const isKnown = this.#regions.has(id) || this.#regions.size < MOST_REGIONS;
    if (depth === null || width === 0 || height === 0 || width * height > MOST_PIXELS || !isKnown) return;
    const before = this.#regions.get(id);
    const isSame = before?.width === width && before.height === height && before.depth === depth;
    const pixels = isSame ? before.pixels : new Uint8Array(width * height);
    const background = { 8: body[8]!, 4: body[9]! >> 4, 2: (body[9]! >> 2) & 0x03 }[depth];
    if (isFilled) pixels.fill(background);
    const objects = [];
    for (let at = 10; at + 6 <= body.length; ) {
      const type = body[at + 2]! >> 6;
      const [x, y] = [body.readUInt16BE(at + 2) & 0x0fff, body.readUInt16BE(at + 4) & 0x0fff];
      objects.push({ id: body.readUInt16BE(at), x, y });
      at += type === 1 || type === 2 ? 8 : 6;
    }
    this.#regions.set(id, { width, height, depth, pixels, coloursId: body[7]!, objects });
  }

  #readColours(body: Buffer): void {
    const colours = this.#colours.get(body[0]!) ?? new DvbColours();
    colours.read(body.subarray(1));
    this.#colours.set(body[0]!, colours);
  }

  /** §7.2.5: pixels in two fields; what is coded as characters nobody sends. */
  #readObject(body: Buffer): void {
    const id = body.readUInt16BE(0);
    if (((body[2]! >> 2) & 0x03) !== 0) return;
    const topBytes = body.readUInt16BE(3);
    const bottomBytes = body.readUInt16BE(5);
    const top = body.subarray(7, 7 + topBytes);
    const bottom = bottomBytes === 0 ? top : body.subarray(7 + topBytes, 7 + topBytes + bottomBytes);
    for (const region of this.#regions.values()) {
      for (const { x, y } of region.objects.filter(object => object.id === id)) {
        drawField(top, region, x, y);
        drawField(bottom, region, x, y + 1);
      }
    }
  }

  /** The page's regions in one picture. */
  #compose(): Page['picture'] {
    const placed = this.#places.flatMap(({ regionId, x, y }) => {
      const region = this.#regions.get(regionId);
      return region === undefined || x + region.width > MOST_SIDE || y + region.height > MOST_SIDE
        ? []
        : [{ region, x, y }];
    });
    if (placed.length === 0) return null;
    const [x, y] = [Math.min(...placed.map(each => each.x)), Math.min(...placed.map(each => each.y))];
    const width = Math.max(...placed.map(each => each.x + each.region.width)) - x;
    const height = Math.max(...placed.map(each => each.y + each.region.height)) - y;
    if (width * height > MOST_PIXELS) return null;
    const pixels = Buffer.alloc(width * height * BYTES_PER_PIXEL);
    for (const each of placed) this.#paint(each.region, pixels, width, each.x - x, each.y - y);
    return { x, y, width, height, pixels };
  }

  #paint(region: Region, pixels: Buffer, stride: number, x: number, y: number): void {
    const colours = this.#colours.get(region.coloursId) ?? new DvbColours();
    const table = Array.from({ length: 2 ** region.depth }, (_, entry) => {
      const [red, green, blue, opacity] = colours.of(region.depth, entry);
      return blue + green * 2 ** 8 + red * 2 ** 16 + opacity * 2 ** 24;
    });
    for (let row = 0; row < region.height; row++) {
      for (let column = 0; column < region.width; column++) {
        const entry = region.pixels[row * region.width + column]!;
        pixels.writeUInt32LE(table[entry]!, ((y + row) * stride + x + column) * BYTES_PER_PIXEL);
      }
    }
  }
}

/** The page as large as the picture is, which may be another size than the page was drawn for. */
function layerOf({ picture: page, display }: Page, picture: PictureSize): Layer | null {
  if (page === null) return null;
  const even = (value: number) => Math.max(0, 2 * Math.round(value / 2));
  const [across, down] = [picture.width / display.width, picture.height / display.height];
  return {
    frame: bgraFrame(page.width, page.height, page.pixels),
    x: even(page.x * across),
    y: even(page.y * down),
    width: Math.max(2, even(page.width * across)),
    height: Math.max(2, even(page.height * down)),
  };
}
