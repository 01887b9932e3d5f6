import type { Timers } from './refresher.ts';

export interface ProgrammeWatchOptions {
  /** What is on now, by channel; asked for again and again. */
  readonly now: () => ReadonlyMap<string, string>;
  /** Another programme is on, on the channel of this name, or none any more. */
  readonly changed: (channel: string) => void;
  readonly timers: Timers;
}

/** Nobody minds a programme that is told of so much too late. */
const LOOK_MS = 15_000;

/** Tells when another programme begins. */
export class ProgrammeWatch {
  readonly #options: ProgrammeWatchOptions;
  #known: ReadonlyMap<string, string> = new Map();
  #timer: unknown = null;

  constructor(options: ProgrammeWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { now, changed, timers } = this.#options;
    const before = this.#known;
    this.#known = now();
    for (const channel of new Set([...before.keys(), ...this.#known.keys()])) {
      if (before.get(channel) !== this.#known.get(channel)) changed(channel);
    }
    this.#timer = timers.setTimer(LOOK_MS, () => this.start());
  }

  close(): void {
    this.#options.timers.clearTimer(this.#timer);
  }
}
