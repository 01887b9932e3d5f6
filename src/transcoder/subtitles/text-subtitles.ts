import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { AV_PIX_FMT_BGRA } from 'node-av/constants';
import type { Frame } from 'node-av/lib';
import { FilterChain } from '../filter-chain.ts';
import type { Cue } from './cue-text.ts';
import { BYTES_PER_PIXEL, bgraFrame, type Layer, type PictureSize, type SubtitleTrack } from './layer.ts';

interface TimedCue extends Cue {
  readonly startUs: number;
  readonly endUs: number;
}

/** Of a cue that does not say how long it is shown. */
const USUAL_US = 5_000_000;
/** What is read ahead has no more. */
const MOST_CUES = 500;
/** A machine may have no font at all. */
const FONTS = dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'));
/** The moment of the script that is drawn, in its seconds: whatever moves or fades is in the middle of it. */
const MIDDLE_SECONDS = 3_600;

/** Subtitles of text, drawn by libass: once for each set of cues that is shown together. */
export class TextSubtitles implements SubtitleTrack {
  readonly #read: (data: Buffer) => Cue | null;
  /** Of the script, with its styles; null for text that has none. */
  readonly #header: string | null;
  #cues: TimedCue[] = [];
  #shown: readonly TimedCue[] = [];
  #size = '';
  #layer: Layer | null = null;

  constructor(read: (data: Buffer) => Cue | null, header: string | null) {
    this.#read = read;
    this.#header = header;
  }

  take(data: Buffer, dueUs: number, durationUs: number): void {
    const cue = this.#read(data);
    if (cue === null || this.#cues.length >= MOST_CUES) return;
    this.#cues.push({ ...cue, startUs: dueUs, endUs: dueUs + (durationUs || USUAL_US) });
  }

  at(ptsUs: number, picture: PictureSize): Layer | null {
    this.#cues = this.#cues.filter(({ endUs }) => endUs > ptsUs);
    const shown = this.#cues.filter(({ startUs }) => startUs <= ptsUs);
    const size = `${picture.width}x${picture.height} ${picture.pixelAspect}`;
    const isSame = shown.length === this.#shown.length && shown.every((cue, index) => cue === this.#shown[index]);
    if (isSame && size === this.#size) return this.#layer;
    this.#layer?.frame.free();
    [this.#shown, this.#size] = [shown, size];
    this.#layer = shown.length === 0 ? null : drawScript(this.#script(shown, picture), picture);
    return this.#layer;
  }

  close(): void {
    this.#layer?.frame.free();
    this.#layer = null;
  }

  #script(cues: readonly TimedCue[], picture: PictureSize): string {
    const lines = cues.map(({ layer, style, margins, text, startUs, endUs }) => {
      const half = (endUs - startUs) / 2_000_000;
      const [start, end] = [MIDDLE_SECONDS - half, MIDDLE_SECONDS + half].map(clock);
      return `Dialogue: ${layer},${start},${end},${style},,${margins},${text}`;
    });
    const format = 'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text';
    return [this.#header ?? plainHeader(picture), '', '[Events]', format, ...lines, ''].join('\n');
  }
}

/** What a script's header has before its events. */
export function headerOf(extradata: Buffer | null): string | null {
  const text = extradata?.toString('utf8') ?? '';
  return text.includes('[Script Info]') ? text.split(/^\[Events\]/m)[0]!.trimEnd() : null;
}

/** White with a dark edge, at the bottom; upright pictures get smaller letters. */
function plainHeader({ width, height, pixelAspect }: PictureSize): string {
  const aspect = (width * pixelAspect) / height;
  const [resolutionY, letters] = [288, 17];
  const size = Math.max(6, Math.round(letters * Math.min(1, aspect)));
  return [
    '[Script Info]',
    'ScriptType: v4.00+',
    `PlayResX: ${Math.round(resolutionY * aspect)}`,
    `PlayResY: ${resolutionY}`,
    'ScaledBorderAndShadow: yes',
    '',
    '[V4+ Styles]',
    'Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding',
    `Style: Default,DejaVu Sans,${size},&H00FFFFFF,&H00000000,&H00000000,0,1,1.2,0,2,12,12,14,1`,
  ].join('\n');
}

/** `h:mm:ss.cc` */
function clock(seconds: number): string {
  const hundredths = Math.max(0, Math.round(seconds * 100));
  const part = (value: number) => String(value % 60).padStart(2, '0');
  const whole = Math.floor(hundredths / 100);
  return `${Math.floor(whole / 3600)}:${part(Math.floor(whole / 60))}:${part(whole)}.${String(hundredths % 100).padStart(2, '0')}`;
}

/** Null when nothing of it is to be seen, or FFmpeg does not take it. */
function drawScript(script: string, picture: PictureSize): Layer | null {
  const { width, height, pixelAspect } = picture;
  // A line of a script is data for libass alone: in base64 no sign of it means anything to the filter's own syntax.
  const url = `data:text/plain;base64,${Buffer.from(script).toString('base64')}`;
  const shown = `${Math.round(width * pixelAspect)}x${height}`;
  const chain = new FilterChain('video', [
    ['subtitles', `filename='${url}':alpha=1:fontsdir='${FONTS.replace(/'/g, "'\\''")}':original_size=${shown}`],
  ]);
  using canvas = bgraFrame(width, height, Buffer.alloc(width * height * BYTES_PER_PIXEL));
  canvas.pts = BigInt(MIDDLE_SECONDS * 1_000_000);
  let layer: Layer | null = null;
  const description = `video_size=${width}x${height}:pix_fmt=${AV_PIX_FMT_BGRA}:time_base=1/1000000`;
  chain.push(canvas, description, drawn => {
    layer = inked(drawn);
  });
  chain.close();
  return layer;
}

/** The rows in which there is something, for little is to be laid over each picture. */
function inked(drawn: Frame): Layer | null {
  const [plane] = drawn.data!;
  const stride = drawn.linesize[0]!;
  const { width, height } = drawn;
  const row = (y: number) => plane!.subarray(y * stride, y * stride + width * BYTES_PER_PIXEL);
  const isInked = (y: number) => row(y).some(value => value > 0);
  let top = 0;
  while (top < height && !isInked(top)) top++;
  if (top === height) return null;
  let bottom = height;
  while (!isInked(bottom - 1)) bottom--;
  top &= ~1;
  const rows = Buffer.concat(Array.from({ length: bottom - top }, (_, index) => row(top + index)));
  const frame = bgraFrame(width, bottom - top, rows);
  return { frame, x: 0, y: top, width, height: bottom - top };
}
