/** Luma and the two chroma values, 8 bit, limited range (ITU-R BT.709). */
export type Colour = readonly [y: number, u: number, v: number];

export const WHITE: Colour = [235, 128, 128];
export const BLACK: Colour = [16, 128, 128];

const SHORT_BYTES = 32;

/** Which of the seven segments are lit: top, upper left, upper right, middle, lower left, lower right, bottom. */
const SEGMENTS: Readonly<Record<string, string>> = {
  '0': '1110111',
  '1': '0010010',
  '2': '1011101',
  '3': '1011011',
  '4': '0111010',
  '5': '1101011',
  '6': '1101111',
  '7': '1010010',
  '8': '1111111',
  '9': '1111011',
};

/** A picture in planar YUV 4:2:0. Coordinates and sizes are even; what lies outside is cut off. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
  readonly #u: number;
  readonly #v: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#u = width * height;
    this.#v = this.#u + this.#u / 4;
    this.data = Buffer.alloc((width * height * 3) / 2, 128);
  }

  copyFrom(other: Canvas): void {
    other.data.copy(this.data);
  }

  rectangle(x: number, y: number, width: number, height: number, [luma, u, v]: Colour): void {
    const left = Math.max(0, x);
    const right = Math.min(this.width, x + width);
    if (right <= left) return;
    const bottom = Math.min(this.height, y + height);
    const { data, width: stride } = this;
    for (let row = Math.max(0, y); row < bottom; row++) {
      fill(data, luma, row * stride + left, row * stride + right);
      if (row % 2 === 1) continue;
      const chroma = (row / 2) * (stride / 2);
      fill(data, u, this.#u + chroma + left / 2, this.#u + chroma + right / 2);
      fill(data, v, this.#v + chroma + left / 2, this.#v + chroma + right / 2);
    }
  }

  disc(centreX: number, centreY: number, radius: number, colour: Colour): void {
    for (let dy = -radius; dy < radius; dy += 2) {
      const half = even(Math.sqrt(radius * radius - dy * dy));
      this.rectangle(even(centreX) - half, even(centreY) + dy, 2 * half, 2, colour);
    }
  }

  /** A circle's outline; made of many small squares, so for what is drawn once. */
  circle(centreX: number, centreY: number, radius: number, thickness: number, colour: Colour): void {
    const steps = Math.ceil(2 * Math.PI * radius);
    for (let step = 0; step < steps; step++) {
      const angle = (2 * Math.PI * step) / steps;
      const x = even(centreX + radius * Math.cos(angle));
      const y = even(centreY + radius * Math.sin(angle));
      this.rectangle(x, y, thickness, thickness, colour);
    }
  }

  /** Seven-segment digits, `:` and `.`; each digit is `height / 2` wide. */
  digits(text: string, x: number, y: number, height: number, colour: Colour): void {
    const bar = even(height / 8);
    const width = even(height / 2);
    const middle = even((height - bar) / 2);
    let left = x;
    for (const character of text) {
      const lit = SEGMENTS[character];
      if (lit === undefined) {
        if (character === ':') this.rectangle(left, y + even(height / 4), bar, bar, colour);
        this.rectangle(left, y + (character === ':' ? even((height * 2) / 3) : height - bar), bar, bar, colour);
        left += 2 * bar;
        continue;
      }
      const places: [number, number, number, number][] = [
        [left, y, width, bar],
        [left, y, bar, middle + bar],
        [left + width - bar, y, bar, middle + bar],
        [left, y + middle, width, bar],
        [left, y + middle, bar, height - middle],
        [left + width - bar, y + middle, bar, height - middle],
        [left, y + height - bar, width, bar],
      ];
      for (const [index, place] of places.entries()) if (lit[index] === '1') this.rectangle(...place, colour);
      left += width + bar;
    }
  }
}

/** The built-in fill costs more than it saves on a few bytes. */
function fill(data: Buffer, value: number, start: number, end: number): void {
  if (end - start > SHORT_BYTES) data.fill(value, start, end);
  else for (let at = start; at < end; at++) data[at] = value;
}

function even(value: number): number {
  return 2 * Math.round(value / 2);
}
