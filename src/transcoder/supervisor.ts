import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../observe/index.ts';
import { childEnvironment } from './child-environment.ts';
import type { Confinement } from './confinement.ts';
import type { TranscoderTask } from './task.ts';
import { LOOK_INTERVAL_MS, Vitals } from './vitals.ts';
import { channelToken, type HardwareKind, type SourceInfo } from './wire.ts';

export interface SupervisorOptions {
  readonly log: Logger;
  /** Where the engine listens for transcoders, and the secret of which each is told its own token. */
  readonly engine: { readonly socketPath: string; readonly secret: string };
  /** What a channel's source had when it was open last, for a process that is started in the place of one that died. */
  readonly knownInfo: (channel: string) => SourceInfo | null;
  /** What encodes H.264; software when left out. */
  readonly hardware?: HardwareKind | null;
  /** How little they may do; left out for all that the server may. */
  readonly confinement?: Confinement;
  /** A transcoder was given up: it ended again and again. */
  readonly onFailed: (channel: string, reason: string) => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

export interface TranscoderChannel {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly loop: boolean;
  readonly passThrough?: 'auto' | 'never';
  /** In any code of ISO 639. */
  readonly audioLanguage?: string;
  readonly subtitles?: string;
}

interface Running {
  readonly channel: TranscoderChannel;
  process: ChildProcess;
  vitals: Vitals;
  /** Why we ended it. */
  fault: string | null;
  startedAtMs: number;
  /** Ends in a row that came soon after the start. */
  quickFailures: number;
  restart: NodeJS.Timeout | null;
  lastWords: string[];
}

/** What a transcoder runs. */
export const PROCESS = fileURLToPath(new URL('./process.ts', import.meta.url));

/** A process that lived this long was well; its end is not the source's fault again. */
const WELL_AFTER_MS = 10_000;
const QUICK_FAILURES = 5;
/** The first restart is immediate: viewers are waiting. */
const RESTART_DELAY_MS = [0, 250, 500, 1_000, 2_000];
const KILL_AFTER_MS = 2_000;
const LAST_WORDS = 20;
/** JavaScript's heap alone; pictures live outside of it. */
const HEAP_MB = 128;

/** Starts, watches and restarts the transcoder processes, one for each channel on air. */
export class TranscoderSupervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<string, Running>();
  /** Processes that were told to end and have not yet. */
  readonly #ending = new Map<ChildProcess, Promise<void>>();
  #looking: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Process ids by channel. */
  get pids(): ReadonlyMap<string, number> {
    const alive = [...this.#running].filter(
      ([
        ,
        {
          process: { pid },
        },
      ]) => pid !== undefined,
    );
    return new Map(alive.map(([name, running]) => [name, running.process.pid!]));
  }

  start(channel: TranscoderChannel): void {
    if (this.#running.has(channel.name)) return;
    const running: Running = {
      channel,
      process: this.#spawn(channel, this.#options.hardware ?? null),
      vitals: this.#vitals(),
      fault: null,
      startedAtMs: this.#options.nowMs(),
      quickFailures: 0,
      restart: null,
      lastWords: [],
    };
    this.#running.set(channel.name, running);
    this.#looking ??= setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
    this.#watch(running);
  }

  /** Ends the channel's process: politely, then by force. */
  stop(name: string): void {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    if (running.restart !== null) clearTimeout(running.restart);
    this.#end(running.process);
  }

  /** Resolves when every process is gone. */
  async close(): Promise<void> {
    clearInterval(this.#looking);
    for (const name of [...this.#running.keys()]) this.stop(name);
    await Promise.all(this.#ending.values());
  }

  /** In software when one has died: hardware may have been why. */
  #spawn(channel: TranscoderChannel, hardware: HardwareKind | null): ChildProcess {
    const { engine, knownInfo, confinement } = this.#options;
    const confined = confinement?.command(channel.source) ?? [];
    const program = [process.execPath, `--max-old-space-size=${HEAP_MB}`, PROCESS, channel.name];
    const [file = '', ...args] = [...confined, ...program];
    const child = spawn(file, args, { stdio: 'pipe', env: childEnvironment() });
    const { socketPath, secret } = engine;
    const task: TranscoderTask = {
      channel: channel.name,
      title: channel.title,
      source: channel.source,
      loop: channel.loop,
      tracks: { audioLanguage: channel.audioLanguage ?? null, subtitles: channel.subtitles ?? null },
      passThrough: channel.passThrough !== 'never',
      hardware,
      info: knownInfo(channel.name),
      socketPath,
      token: channelToken(secret, channel.name),
    };
    // A process that could not be started or died at once breaks the pipe; its exit says so.
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(`${JSON.stringify(task)}\n`);
    return child;
  }

  #watch(running: Running): void {
    const { process: child, channel } = running;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      running.lastWords = [...running.lastWords, ...text.split('\n').filter(Boolean)].slice(-LAST_WORDS);
    });
    const { vitals } = running;
    child.stdout?.on('data', () => vitals.beat());
    child.on('error', error => this.#ended(running, child, error.message));
    child.on('exit', (code, signal) => this.#ended(running, child, running.fault ?? signal ?? `exit code ${code}`));
    this.#options.log.info({ channel: channel.name, pid: child.pid }, 'transcoder started');
  }

  #vitals(): Vitals {
    return new Vitals(this.#options.confinement?.memoryBytes ?? Number.POSITIVE_INFINITY);
  }

  /** Ends what is not well; it is started again as if it had ended by itself. */
  #look(): void {
    for (const running of this.#running.values()) {
      const { process: child, vitals, restart } = running;
      if (restart !== null || running.fault !== null || child.pid === undefined) continue;
      running.fault = vitals.look(child.pid);
      if (running.fault !== null) child.kill('SIGKILL');
    }
  }

  #ended(running: Running, child: ChildProcess, how: string): void {
    const { log, nowMs, onFailed } = this.#options;
    const { channel, lastWords } = running;
    // Stopped by us, or replaced already.
    if (this.#running.get(channel.name) !== running || running.process !== child || running.restart !== null) return;
    log.warn({ channel: channel.name, pid: child.pid, how, lastWords }, 'transcoder ended unexpectedly');
    running.quickFailures = nowMs() - running.startedAtMs < WELL_AFTER_MS ? running.quickFailures + 1 : 1;
    if (running.quickFailures > QUICK_FAILURES) {
      this.#running.delete(channel.name);
      return onFailed(channel.name, `the transcoder ended ${running.quickFailures} times in a row (${how})`);
    }
    running.restart = setTimeout(
      () => {
        running.restart = null;
        running.lastWords = [];
        running.fault = null;
        running.startedAtMs = nowMs();
        running.vitals = this.#vitals();
        running.process = this.#spawn(channel, null);
        this.#watch(running);
      },
      RESTART_DELAY_MS[running.quickFailures - 1],
    );
  }

  #end(child: ChildProcess): void {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const force = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    child.once('exit', () => {
      clearTimeout(force);
      this.#ending.delete(child);
      resolve();
    });
    this.#ending.set(child, promise);
    child.stdin?.end();
    child.kill('SIGTERM');
  }
}
