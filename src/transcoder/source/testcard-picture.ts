import { BLACK, Canvas, type Colour, WHITE } from '../picture/index.ts';

export const TESTCARD = { width: 1280, height: 720, frameRate: 30 } as const;

/** Beep and flash last for the first 100 ms of each second. */
export const MARK_MS = 100;

/** The machine-readable time: 48 squares along the top edge, most significant bit first. */
const TIME_BITS = 48;
const SQUARE = 16;
const FLASH = 64;

const BACKGROUND: Colour = [38, 134, 124];
const GRID: Colour = [62, 133, 124];
const PANEL: Colour = [22, 131, 127];
const BALL: Colour = [170, 66, 190];
/** 75 % colour bars in BT.709: white, yellow, cyan, green, magenta, red, blue. */
const BARS: readonly Colour[] = [
  [180, 128, 128],
  [168, 44, 136],
  [145, 147, 44],
  [133, 63, 52],
  [63, 193, 204],
  [51, 109, 212],
  [28, 212, 120],
];

/** The test card: a still background, and on it what tells the time. */
export class TestcardPicture {
  readonly #background = drawBackground();
  readonly #canvas = new Canvas(TESTCARD.width, TESTCARD.height);

  /** The picture of this moment; valid until the next call. */
  draw(unixMs: number): Canvas {
    const canvas = this.#canvas;
    canvas.copyFrom(this.#background);
    const time = BigInt(unixMs);
    for (let bit = 0; bit < TIME_BITS; bit++) {
      const set = (time >> BigInt(TIME_BITS - 1 - bit)) & 1n;
      canvas.rectangle(bit * SQUARE, 0, SQUARE, SQUARE, set === 1n ? WHITE : BLACK);
    }
    canvas.digits(clockText(unixMs), 414, 452, 88, WHITE);
    // Once around the circle in four seconds: a stutter shows at once.
    const angle = ((unixMs % 4000) / 4000) * 2 * Math.PI - Math.PI / 2;
    canvas.disc(640 + 300 * Math.cos(angle), 368 + 300 * Math.sin(angle), 26, BALL);
    if (unixMs % 1000 < MARK_MS) {
      canvas.rectangle(TESTCARD.width - FLASH, TESTCARD.height - FLASH, FLASH, FLASH, WHITE);
    }
    return canvas;
  }
}

/** Local time of day to the tenth of a second. */
function clockText(unixMs: number): string {
  const time = new Date(unixMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const tenths = Math.floor(time.getMilliseconds() / 100);
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${tenths}`;
}

function drawBackground(): Canvas {
  const canvas = new Canvas(TESTCARD.width, TESTCARD.height);
  canvas.rectangle(0, 0, TESTCARD.width, TESTCARD.height, BACKGROUND);
  for (let x = 40; x < TESTCARD.width; x += 80) canvas.rectangle(x, 0, 2, TESTCARD.height, GRID);
  for (let y = 48; y < TESTCARD.height; y += 80) canvas.rectangle(0, y, TESTCARD.width, 2, GRID);
  canvas.rectangle(0, 0, TESTCARD.width, 2 * SQUARE, BLACK);
  canvas.circle(640, 368, 300, 4, [200, 128, 128]);
  const barWidth = 80;
  for (const [index, colour] of BARS.entries()) canvas.rectangle(360 + index * barWidth, 200, barWidth, 150, colour);
  for (let step = 0; step < 14; step++) {
    canvas.rectangle(360 + step * 40, 350, 40, 50, [16 + Math.round((219 * step) / 13), 128, 128]);
  }
  canvas.rectangle(360, 424, 560, 144, PANEL);
  // The place of the flash: black when it is off.
  canvas.rectangle(TESTCARD.width - FLASH, TESTCARD.height - FLASH, FLASH, FLASH, BLACK);
  return canvas;
}
