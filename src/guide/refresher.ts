import type { DialcastError } from '../errors.ts';
import type { DocumentVersion } from './document.ts';

/** Handles are whatever the clock makes them. */
export interface Timers {
  setTimer(delayMs: number, callback: () => void): unknown;
  clearTimer(handle: unknown): void;
}

export interface RefresherOptions {
  /** Reads the document anew; resolves with its version, or with null when it is still the known one. */
  readonly read: (known: DocumentVersion | null, signal: AbortSignal) => Promise<DocumentVersion | null>;
  readonly refreshMs: number;
  /** It cannot be read now, and is tried again after this. */
  readonly onFailed: (error: DialcastError, retryMs: number) => void;
  readonly timers: Timers;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** The first pause after a failure, doubled with each one, up to the usual time between two readings. */
const FIRST_RETRY_MS = 60_000;
/** For the whole document. */
const TIMEOUT_MS = 120_000;

/** Reads a document now and then: as often as it is told to, and sooner after a failure. */
export class Refresher {
  readonly #options: RefresherOptions;
  #version: DocumentVersion | null = null;
  #failures = 0;
  #timer: unknown = null;
  /** While it is being read. */
  #reading: AbortController | null = null;
  /** It was asked for while it was being read. */
  #wantedAgain = false;
  #state: 'new' | 'running' | 'closed' = 'new';

  constructor(options: RefresherOptions) {
    this.#options = options;
  }

  /** Reads it now, and from then on again and again. Resolves when it was tried once. */
  async start(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'running';
    this.#options.timers.clearTimer(this.#timer);
    const end = new AbortController();
    this.#reading = end;
    await this.#read(end);
  }

  /** Something else is wanted of the document than before: once begun, it is read at once though it is as it was. */
  again(): void {
    if (this.#state !== 'running') return;
    this.#version = null;
    if (this.#reading !== null) this.#wantedAgain = true;
    else void this.start();
  }

  close(): void {
    this.#state = 'closed';
    this.#options.timers.clearTimer(this.#timer);
    this.#reading?.abort();
  }

  async #read(end: AbortController): Promise<void> {
    const { read, refreshMs, onFailed, timers } = this.#options;
    const timeout = timers.setTimer(TIMEOUT_MS, () =>
      end.abort(new Error(`it was not read within ${TIMEOUT_MS / 1000} seconds`)),
    );
    let pauseMs = refreshMs * this.#jitter();
    try {
      const version = await read(this.#version, end.signal);
      if (version !== null) this.#version = version;
      this.#failures = 0;
      if (this.#wantedAgain) {
        this.#version = null;
        pauseMs = 0;
      }
    } catch (error) {
      pauseMs = Math.round(Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, refreshMs) * this.#jitter());
      if (this.#state !== 'closed') onFailed(error as DialcastError, pauseMs);
    }
    timers.clearTimer(timeout);
    this.#reading = null;
    this.#wantedAgain = false;
    if (this.#state !== 'closed') this.#timer = timers.setTimer(pauseMs, () => void this.start());
  }

  /** So that many servers do not ask all at the same time. */
  #jitter(): number {
    return 0.9 + 0.1 * this.#options.random();
  }
}
