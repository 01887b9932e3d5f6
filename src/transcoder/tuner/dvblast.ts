import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One programme of the multiplex, and where on this machine it goes in MPEG-TS over UDP. */
export interface Output {
  readonly address: string;
  readonly port: number;
  readonly serviceId: number;
}

/** A program that takes programmes out of a multiplex. */
export interface Demultiplexer {
  /** Takes other outputs, without a hole in those that stay; false when it could not be told. */
  setOutputs(outputs: readonly Output[]): Promise<boolean>;
  /** The answer to one of dvblastctl's commands, in XML; empty when there is none. */
  ask(command: 'fe_status' | 'get_sdt'): Promise<string>;
  /** Ends it: politely, then by force. */
  stop(): void;
}

export interface DemultiplexerOptions {
  /** Of the input. */
  readonly args: readonly string[];
  readonly outputs: readonly Output[];
  /** It ended, in whatever way; called once. */
  readonly onEnd: (how: string) => void;
}

const KILL_AFTER_MS = 2_000;
const ASK_TIMEOUT_MS = 3_000;
/** A receiver that is not there yet is no fault of the multiplex, and is told with each datagram. */
const FAULT = /^(?:error|setpriv): (?!couldn't writev)(.*)/;

/** dvblast as a process. What it needs of files is in a folder of its own, which nobody else may look into. */
export class Dvblast implements Demultiplexer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dialcast-dvb-'));
  readonly #process: ChildProcess;
  #lastWords = '';

  constructor({ args, outputs, onEnd }: DemultiplexerOptions) {
    this.#write(outputs);
    const files = ['--config-file', this.#configFile, '--remote-socket', this.#socket];
    // The kernel ends it with us, however we end.
    const command = ['--pdeathsig', 'KILL', '--', 'dvblast', ...args, ...files];
    this.#process = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    createInterface({ input: this.#process.stderr! }).on('line', line => this.#hear(line));
    const end = (how: string) => {
      this.#process.removeAllListeners().on('error', () => undefined);
      rmSync(this.#folder, { recursive: true, force: true });
      onEnd(this.#lastWords === '' ? how : `${how}: ${this.#lastWords}`);
    };
    this.#process.once('error', error => end(error.message));
    // Not before its last words are read.
    this.#process.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
  }

  async setOutputs(outputs: readonly Output[]): Promise<boolean> {
    try {
      this.#write(outputs);
    } catch {
      // It has just ended, or the disk is full.
      return false;
    }
    return (await this.#control('reload')) !== null;
  }

  async ask(command: 'fe_status' | 'get_sdt'): Promise<string> {
    return (await this.#control(command)) ?? '';
  }

  stop(): void {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const force = setTimeout(() => this.#process.kill('SIGKILL'), KILL_AFTER_MS);
    this.#process.once('exit', () => clearTimeout(force));
  }

  get #configFile(): string {
    return join(this.#folder, 'outputs');
  }

  get #socket(): string {
    return join(this.#folder, 'control');
  }

  /** A line an output: where to, in bare datagrams; whether a silent programme is a fault of the CAM; the service. */
  #write(outputs: readonly Output[]): void {
    const lines = outputs.map(({ address, port, serviceId }) => `${address}:${port}/udp\t0\t${serviceId}\n`);
    writeFileSync(this.#configFile, lines.join(''));
  }

  #control(command: string): Promise<string | null> {
    const args = ['-r', this.#socket, '-x', 'xml', command];
    return new Promise(resolve => {
      execFile('dvblastctl', args, { timeout: ASK_TIMEOUT_MS }, (error, stdout) => {
        // A status without a lock is told with an exit code as well.
        resolve(error === null || stdout !== '' ? stdout : null);
      });
    });
  }

  #hear(line: string): void {
    this.#lastWords = FAULT.exec(line)?.[1] ?? this.#lastWords;
  }
}
