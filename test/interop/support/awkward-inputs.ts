/** Media as the world has them, made by ffmpeg, each with a flash and a beep at the beginning of every second. */

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { find } from './programs.ts';

const run = promisify(execFile);

/** Of every input. */
export const SECONDS = 4;
const FLASH_SECONDS = 0.1;
/** The 33-bit clock of MPEG-TS. */
const WRAP_SECONDS = 2 ** 33 / 90_000;

export interface AwkwardInput {
  readonly name: string;
  /** In the folder of all. */
  readonly file: string;
  /** As it is to be shown; null when there is no picture. */
  readonly shown: { readonly width: number; readonly height: number } | null;
  readonly hasSound: boolean;
  /** Pictures that viewers get in a second. */
  readonly frameRate: number;
  /** So much of it cannot be decoded that no more is asked than that it plays, and ends. */
  readonly isDamaged: boolean;
  make(folder: string): Promise<void>;
}

interface Recipe {
  /** Of the pictures; null for none. */
  readonly size?: string | null;
  readonly rate?: string;
  readonly sampleRate?: number;
  /** In FFmpeg's words; null for none. */
  readonly layout?: keyof typeof CHANNELS | null;
  readonly seconds?: number;
  readonly encode: readonly string[];
}

const CHANNELS = { mono: 1, stereo: 2, '5.1': 6 } as const;

/** A moving pattern with a white square in the middle, and a tone of 1 kHz, both for the first 100 ms of each second. */
function inputs({ size = '320x180', rate = '25', sampleRate = 48_000, layout = 'stereo' }: Recipe): string[] {
  const square = (part: number, colour: string) =>
    `drawbox=x=(iw-ih/${part})/2:y=(ih-ih/${part})/2:w=ih/${part}:h=ih/${part}:color=${colour}:t=fill`;
  const flash = `${square(4, 'white')}:enable='lt(mod(t+0.001,1),${FLASH_SECONDS})'`;
  const beep = `if(lt(mod(t\\,1)\\,${FLASH_SECONDS})\\,0.25*sin(2*PI*1000*t)\\,0)`;
  const picture = size && ['-f', 'lavfi', '-i', `testsrc=size=${size}:rate=${rate},${square(3, 'black')},${flash}`];
  const tones = Array.from({ length: layout === null ? 0 : CHANNELS[layout] }, () => beep).join('|');
  const sound = layout && ['-f', 'lavfi', '-i', `aevalsrc=${tones}:s=${sampleRate}:c=${layout}`];
  return [...(picture ?? []), ...(sound ?? [])];
}

async function encode(path: string, recipe: Recipe): Promise<void> {
  const { seconds = SECONDS, encode } = recipe;
  await ffmpeg([...inputs(recipe), '-t', String(seconds), ...encode, path]);
}

async function ffmpeg(args: readonly string[]): Promise<void> {
  await run(find('ffmpeg')!, ['-v', 'error', '-nostdin', '-y', ...args]);
}

/** Several pieces one after the other, as a stream that was cut together. */
function joined(...pieces: readonly Recipe[]) {
  return async (path: string) => {
    const parts = pieces.map((_, index) => `${path}.${index}.ts`);
    for (const [index, recipe] of pieces.entries()) await encode(parts[index]!, recipe);
    writeFileSync(path, Buffer.concat(parts.map(part => readFileSync(part))));
  };
}

/** Changes one byte of a hundred, always the same ones; the first kilobytes are left, or it would not be that format. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let index = 0; index < bytes.length / 100; index++) {
    const at = 4_096 + Math.floor(random() * (bytes.length - 4_096));
    bytes[at] = Math.floor(random() * 256);
  }
  writeFileSync(path, bytes);
}

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25'];
const B_FRAMES = [...H264, '-bf', '3', '-b_strategy', '0'];
const AAC = ['-c:a', 'aac', '-b:a', '96k'];
const OPUS = ['-c:a', 'libopus', '-b:a', '64k'];
const at = (seconds: number) => ['-output_ts_offset', String(seconds), '-muxdelay', '0', '-muxpreload', '0'];

type Row = Partial<AwkwardInput> &
  Pick<AwkwardInput, 'name' | 'file'> &
  ({ recipe: Recipe } | { write(path: string): Promise<void> });

const ROWS: readonly Row[] = [
  { name: 'B-frames', file: 'b-frames.mp4', recipe: { encode: [...B_FRAMES, ...AAC] } },
  {
    name: 'HEVC of 10 bits, E-AC-3 5.1, in Matroska',
    file: 'hevc.mkv',
    recipe: {
      layout: '5.1',
      encode: [
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-x265-params',
        'log-level=error',
        '-pix_fmt',
        'yuv420p10le',
        '-c:a',
        'eac3',
      ],
    },
  },
  {
    name: 'MPEG-2, interlaced and anamorphic, with AC-3 5.1',
    file: 'interlaced.ts',
    shown: { width: 512, height: 288 },
    recipe: {
      size: '360x288',
      rate: '50',
      layout: '5.1',
      encode: [
        ...['-vf', 'tinterlace=interleave_top,setsar=16/11', '-c:v', 'mpeg2video', '-b:v', '3M', '-bf', '2'],
        ...['-flags', '+ildct+ilme', '-c:a', 'ac3'],
      ],
    },
  },
  {
    name: 'sound of 44.1 kHz in one channel',
    file: 'mono.mp4',
    recipe: { sampleRate: 44_100, layout: 'mono', encode: [...H264, ...AAC] },
  },
  {
    name: '59.94 pictures a second',
    file: 'fast.ts',
    frameRate: 30_000 / 1001,
    recipe: { rate: '60000/1001', encode: [...B_FRAMES, ...AAC] },
  },
  {
    name: 'an upright picture',
    file: 'portrait.mp4',
    shown: { width: 180, height: 320 },
    recipe: { size: '180x320', encode: [...H264, ...AAC] },
  },
  {
    name: 'odd sizes, VP9 and Opus in WebM',
    file: 'odd.webm',
    shown: { width: 320, height: 180 },
    recipe: {
      size: '321x181',
      encode: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p', ...OPUS],
    },
  },
  {
    name: 'AV1 and Opus in WebM',
    file: 'av1.webm',
    recipe: { encode: ['-c:v', 'libsvtav1', '-preset', '12', '-pix_fmt', 'yuv420p', ...OPUS] },
  },
  {
    name: 'picture alone',
    file: 'picture.mp4',
    hasSound: false,
    recipe: { layout: null, encode: B_FRAMES },
  },
  { name: 'sound alone', file: 'sound.flac', shown: null, recipe: { size: null, encode: ['-c:a', 'flac'] } },
  {
    name: 'sound with a cover picture, in MP3 of variable rate',
    file: 'cover.mp3',
    shown: null,
    recipe: {
      encode: [
        '-map',
        '1:a',
        '-map',
        '0:v',
        '-frames:v',
        '1',
        '-c:v',
        'png',
        '-disposition:v',
        'attached_pic',
        '-c:a',
        'libmp3lame',
        '-q:a',
        '4',
      ],
    },
  },
  {
    name: 'an edit list that cuts the beginning off',
    file: 'edited.mp4',
    async write(path) {
      const whole = `${path}.whole.mp4`;
      await encode(whole, { seconds: SECONDS + 2, encode: [...B_FRAMES, ...AAC] });
      await ffmpeg(['-ss', '1.4', '-i', whole, '-t', String(SECONDS), '-c', 'copy', path]);
    },
  },
  {
    name: 'negative time stamps',
    file: 'negative.ts',
    recipe: { encode: [...B_FRAMES, ...AAC, '-avoid_negative_ts', 'disabled', ...at(-2)] },
  },
  {
    name: 'the 33-bit clock that begins anew',
    file: 'wrap.ts',
    recipe: { encode: [...B_FRAMES, ...AAC, ...at(WRAP_SECONDS - SECONDS / 2)] },
  },
  {
    name: 'a clock that jumps back and ahead',
    file: 'jumps.ts',
    write: joined(
      { seconds: 2, encode: [...B_FRAMES, ...AAC, ...at(5_000)] },
      { seconds: 1, encode: [...B_FRAMES, ...AAC, ...at(10)] },
      { seconds: 1, encode: [...B_FRAMES, ...AAC, ...at(70_000)] },
    ),
  },
  {
    name: 'another resolution in the middle',
    file: 'sizes.ts',
    write: joined(
      { seconds: 2, encode: [...B_FRAMES, ...AAC, ...at(10)] },
      { seconds: 2, size: '480x360', encode: [...B_FRAMES, ...AAC, ...at(12)] },
    ),
  },
  {
    name: 'one byte of a hundred damaged, in MPEG-TS',
    file: 'damaged.ts',
    isDamaged: true,
    async write(path) {
      await encode(path, { encode: ['-c:v', 'mpeg2video', '-b:v', '1M', '-c:a', 'mp2'] });
      damage(path);
    },
  },
  {
    name: 'one byte of a hundred damaged, in Matroska',
    file: 'damaged.mkv',
    isDamaged: true,
    async write(path) {
      await encode(path, { encode: [...B_FRAMES, ...AAC] });
      damage(path);
    },
  },
  {
    name: 'a film of a phone held upright',
    file: 'turned.mp4',
    shown: { width: 180, height: 320 },
    async write(path) {
      const lying = `${path}.lying.mp4`;
      await encode(lying, { encode: [...H264, ...AAC] });
      await ffmpeg(['-i', lying, '-c', 'copy', '-metadata:s:v:0', 'rotate=90', path]);
    },
  },
  {
    name: 'pixels that are not square',
    file: 'anamorphic.mkv',
    shown: { width: 426, height: 180 },
    recipe: { encode: ['-vf', 'setsar=4/3', ...H264, ...AAC] },
  },
  {
    name: 'MPEG-4 with B-frames and MP3 of variable rate, in AVI',
    file: 'asp.avi',
    recipe: { encode: ['-c:v', 'mpeg4', '-b:v', '1M', '-bf', '2', '-c:a', 'libmp3lame', '-q:a', '4'] },
  },
  {
    name: 'a varying rate of pictures',
    file: 'varying.mkv',
    frameRate: 12,
    recipe: {
      encode: ['-vf', "select='lt(mod(n,25),8)+eq(mod(n,25),15)+eq(mod(n,25),20)'", '-vsync', 'vfr', ...H264, ...AAC],
    },
  },
  {
    name: 'MPEG-1 and MP2 in a programme stream',
    file: 'old.mpg',
    recipe: { encode: ['-c:v', 'mpeg1video', '-b:v', '1M', '-bf', '2', '-c:a', 'mp2'] },
  },
  {
    name: 'ProRes in 4:2:2 of 10 bits, PCM of 24 bits',
    file: 'camera.mov',
    recipe: { encode: ['-c:v', 'prores', '-pix_fmt', 'yuv422p10le', '-c:a', 'pcm_s24le'] },
  },
];

const DEFAULTS = { shown: { width: 320, height: 180 }, hasSound: true, frameRate: 25, isDamaged: false };

export const AWKWARD_INPUTS: readonly AwkwardInput[] = ROWS.map(row => ({
  ...DEFAULTS,
  ...row,
  make: folder => {
    const path = join(folder, row.file);
    return 'write' in row ? row.write(path) : encode(path, row.recipe);
  },
}));
