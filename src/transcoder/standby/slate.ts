import { createRequire } from 'node:module';
import { AV_PIX_FMT_YUV420P } from 'node-av/constants';
import type { Frame } from 'node-av/lib';
import { FilterChain } from '../filter-chain.ts';
import { Canvas, type Colour, pictureFrame } from '../picture/index.ts';

const BACKGROUND: Colour = [24, 134, 124];
const FONT = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
/** Of the picture's height. */
const TITLE_SIZE = 0.1;
/** What a letter of a size of 1 is wide, on the average; long titles are written smaller. */
const LETTER_WIDTH = 0.7;
const MARGIN = 0.9;
const NOTE = 'back in a moment';

/** The still picture that is shown while a source is out: the channel's title. The caller frees it. */
export function drawSlate(title: string, size: { readonly width: number; readonly height: number }): Frame {
  // Colour planes are of half the size.
  const [width, height] = [size.width & ~1, size.height & ~1];
  const canvas = new Canvas(width, height);
  canvas.rectangle(0, 0, width, height, BACKGROUND);
  const titleSize = Math.min(height * TITLE_SIZE, (width * MARGIN) / (title.length * LETTER_WIDTH));
  const chain = new FilterChain('video', [
    text(title, titleSize, 'white', '(h-text_h)/2-th/4'),
    text(NOTE, height * TITLE_SIZE * 0.45, 'white@0.6', `h/2+${Math.round(height * TITLE_SIZE)}`),
    ['format', 'pix_fmts=yuv420p'],
  ]);
  let drawn: Frame | null = null;
  using picture = pictureFrame(canvas);
  const description = `video_size=${width}x${height}:pix_fmt=${AV_PIX_FMT_YUV420P}:time_base=1/1000000`;
  chain.push(picture, description, filtered => {
    drawn = filtered.clone();
  });
  chain.close();
  return drawn!;
}

function text(words: string, size: number, colour: string, y: string): readonly [name: string, args: string] {
  const options = {
    fontfile: FONT,
    text: words,
    // Nothing in a title is a command.
    expansion: 'none',
    fontsize: String(Math.max(8, Math.round(size))),
    fontcolor: colour,
    x: '(w-text_w)/2',
    y,
  };
  const pairs = Object.entries(options).map(([name, value]) => `${name}=${value.replace(/[\\':]/g, '\\$&')}`);
  return ['drawtext', pairs.join(':')];
}
