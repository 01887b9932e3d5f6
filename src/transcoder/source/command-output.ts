import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { AVERROR_EOF } from 'node-av/constants';
import { IOContext } from 'node-av/lib';
import type { Command } from './input.ts';

const BUFFER_BYTES = 65_536;
/** Who has no rights of its own. */
const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
const KILL_AFTER_MS = 2_000;
/** Of what it wrote to standard error, for the log. */
const LAST_WORDS_CHARACTERS = 2_000;

/** A program whose standard output FFmpeg reads as if it were a file. It ends with its reader. */
export class CommandOutput {
  readonly context = new IOContext();
  readonly #child: ChildProcess;
  #lastWords = '';
  #ended: string | null = null;
  #rest: Buffer = Buffer.alloc(0);

  constructor({ file, args, refusesRoot = false }: Command) {
    const nobody = refusesRoot && process.getuid?.() === 0 ? NOBODY : [];
    // The kernel ends it with us, however we end.
    const before = ['--pdeathsig', 'KILL', ...nobody, '--', file];
    this.#child = spawn('setpriv', [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_CHARACTERS);
    });
    this.#child.on('error', error => this.#end(error.message));
    this.#child.on('exit', (code, signal) => this.#end(signal ?? `exit code ${code}`));
    this.context.allocContextWithCallbacks(BUFFER_BYTES, 0, size => this.#read(size));
  }

  /** Why there is no more to read; null while there is. */
  get fault(): string | null {
    if (this.#ended === null) return null;
    const words = this.#lastWords.trim().split('\n').at(-1);
    return words ? `the program ended (${this.#ended}): ${words}` : `the program ended (${this.#ended})`;
  }

  /** Ends the program, and with it what is read of it. */
  stop(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS);
    this.#child.once('exit', () => clearTimeout(force));
    // Whatever it started may hold its output open.
    this.#child.stdout!.destroy();
  }

  close(): void {
    this.stop();
    this.context.freeContext();
  }

  #end(how: string): void {
    this.#ended ??= how;
  }

  async #read(size: number): Promise<Buffer | number> {
    const output = this.#child.stdout!;
    while (this.#rest.length === 0) {
      const chunk = output.read() as Buffer | null;
      if (chunk !== null) this.#rest = chunk;
      else if (output.readableEnded || output.destroyed) return AVERROR_EOF;
      else await readable(output);
    }
    const taken = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return taken;
  }
}

function readable(stream: Readable): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      for (const event of ['readable', 'end', 'close', 'error']) stream.off(event, done);
      resolve();
    };
    for (const event of ['readable', 'end', 'close', 'error']) stream.on(event, done);
  });
}
