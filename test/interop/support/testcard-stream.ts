import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { TESTCARD, TestcardPicture } from '../../../src/transcoder/source/testcard-picture.ts';
import { find } from './programs.ts';

export interface TestcardStream {
  readonly seconds: number;
  /** FFmpeg's arguments between the inputs and the file: codecs and container. */
  readonly encode: readonly string[];
  /** What the squares tell in the first picture, in whole seconds; 0 by default. */
  readonly firstSeconds?: number;
  /** How long each tone is; 0.1 by default. */
  readonly toneSeconds?: number;
}

const beep = (toneSeconds: number) =>
  `aevalsrc=if(lt(mod(t\\,1)\\,${toneSeconds})\\,0.25*sin(2*PI*1000*t)\\,0):s=48000`;

/** H.264 with B-frames and AAC, in MPEG-TS: what most of the world sends. */
export const USUAL: TestcardStream['encode'] = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '30', '-b:v', '3M', '-pix_fmt', 'yuv420p'],
  ...['-c:a', 'aac', '-b:a', '96k', '-f', 'mpegts'],
];

/** Writes a file whose picture and sound are the test card's; its squares count milliseconds from its beginning. */
export async function writeTestcard(file: string, stream: TestcardStream): Promise<void> {
  const { seconds, encode, firstSeconds = 0, toneSeconds = 0.1 } = stream;
  const { width, height, frameRate } = TESTCARD;
  const picture = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    '-s',
    `${width}x${height}`,
    '-r',
    `${frameRate}`,
    '-i',
    '-',
  ];
  const sound = ['-f', 'lavfi', '-t', `${seconds}`, '-i', beep(toneSeconds)];
  const args = ['-v', 'error', '-y', ...picture, ...sound, ...encode, file];
  const ffmpeg = spawn(find('ffmpeg')!, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(ffmpeg, 'exit');
  const card = new TestcardPicture();
  for (let frame = 0; frame < seconds * frameRate; frame++) {
    const { data } = card.draw(Math.round(firstSeconds * 1000 + (frame * 1000) / frameRate));
    if (!ffmpeg.stdin.write(Buffer.from(data))) await Promise.race([once(ffmpeg.stdin, 'drain'), ended]);
  }
  ffmpeg.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
}

/** Before a program that ended is started again: whoever it calls may not listen yet. */
const AGAIN_MS = 200;

/** A program that is kept running until it is stopped, and may be started again. */
export class Peer {
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #asNobody: boolean;
  #process: ChildProcess | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** `asNobody` for a program that refuses to run as root. */
  constructor(program: string, args: readonly string[], { asNobody = false } = {}) {
    this.#program = find(program)!;
    this.#args = args;
    this.#asNobody = asNobody && process.getuid?.() === 0;
  }

  start(): void {
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', this.#program];
    const [program, before] = this.#asNobody ? ['setpriv', nobody] : [this.#program, []];
    const child = spawn(program, [...before, ...this.#args], { stdio: 'ignore' });
    this.#process = child;
    child.once('exit', () => {
      if (this.#process === child) this.#timer = setTimeout(() => this.start(), AGAIN_MS);
    });
  }

  /** Ends it without a word to anybody. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
