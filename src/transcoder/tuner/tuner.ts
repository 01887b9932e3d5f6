import type { Logger } from '../../observe/index.ts';
import type { DvbSource } from './dvb-url.ts';
import type { Demultiplexer, DemultiplexerOptions, Output } from './dvblast.ts';
import { parseServices, parseSignal, type Signal } from './reports.ts';

export interface TunerOptions {
  readonly card: string;
  readonly log: Logger;
  readonly launch: (options: DemultiplexerOptions) => Demultiplexer;
  /** Why a channel gets nothing for now, as soon as that is known. */
  readonly onFault: (channel: string, reason: string) => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** Where a programme is to go. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

interface Programme extends Place {
  readonly service: number | string;
}

/** A card that nobody watches keeps its lock for whoever comes from another channel. */
const LINGER_MS = 3_000;
/** The pause before the first restart, doubled with each, up to the last. */
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 1_000;
/** What ran for so long was well; its end has nothing to do with those before. */
const WELL_AFTER_MS = 10_000;
/** How often the multiplex and its signal are looked at: at first while something is missing, and then. */
const LOOK_SOON_MS = 250;
const LOOK_MS = 5_000;
const SOON_LOOKS = 40;
/** Services that a message names. */
const MOST_NAMED = 20;

/** One card, or one multiplex that comes over IP: runs dvblast while channels want programmes of it, and a little longer. */
export class Tuner {
  readonly #options: TunerOptions;
  /** By channel. */
  readonly #programmes = new Map<string, Programme>();
  #source: DvbSource | null = null;
  #running: Demultiplexer | null = null;
  #startedAtMs = 0;
  /** We have told it to end. */
  #isEnding = false;
  #ended = Promise.withResolvers<void>();
  /** Ends in a row that came soon after the start. */
  #failures = 0;
  #fault: string | null = null;
  #restart: NodeJS.Timeout | null = null;
  #linger: NodeJS.Timeout | undefined;
  #nextLook: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** How often it is still looked soon for what is missing. */
  #soonLooks = 0;
  /** The outputs that dvblast knows of. */
  #told = '';
  #signal: Signal | null = null;
  /** Names by service id; null before the multiplex has told them. */
  #services: ReadonlyMap<number, string> | null = null;

  constructor(options: TunerOptions) {
    this.#options = options;
  }

  /** Null without a frontend, and while nothing is known of it. */
  get signal(): Signal | null {
    return this.#signal;
  }

  /** Sends a programme to a place for a channel until it is released. The reason in words when that can't be. */
  take(channel: string, source: DvbSource, place: Place): string | null {
    const isSame = source.tuning.join(' ') === this.#source?.tuning.join(' ');
    const [holder] = this.#programmes.keys();
    if (!isSame && holder !== undefined) {
      return `card ${source.card} is in use: channel ${holder} has it at ${this.#source!.words}`;
    }
    clearTimeout(this.#linger);
    this.#programmes.set(channel, { ...place, service: source.service });
    if (!isSame) this.#services = null;
    this.#source = source;
    this.#soonLooks = SOON_LOOKS;
    if (this.#running === null) {
      if (this.#restart === null) this.#start();
    } else if (isSame && !this.#isEnding) this.#lookIn(0);
    else this.#end();
    return null;
  }

  release(channel: string): void {
    if (!this.#programmes.delete(channel) || this.#programmes.size > 0) return;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    this.#failures = 0;
    this.#linger = setTimeout(() => this.#end(), LINGER_MS);
  }

  /** Why a channel gets nothing; null when that is not known here. */
  explain(channel: string): string | null {
    const programme = this.#programmes.get(channel);
    if (programme === undefined) return null;
    if (this.#running === null && this.#fault !== null) return `dvblast ended (${this.#fault})`;
    if (this.#signal?.locked === false) return `card ${this.#options.card} has no lock on ${this.#source!.words}`;
    if (this.#services === null || this.#services.has(this.#idOf(programme) ?? 0)) return null;
    const named = [...this.#services].slice(0, MOST_NAMED).map(([id, name]) => `${name} (${id})`);
    return `the multiplex has no service ${programme.service}; it has ${named.join(', ') || 'none'}`;
  }

  /** Resolves when its process is gone. */
  async close(): Promise<void> {
    for (const channel of [...this.#programmes.keys()]) this.release(channel);
    clearTimeout(this.#linger);
    if (this.#running === null) return;
    this.#end();
    await this.#ended.promise;
  }

  #start(): void {
    const { card, log, launch, nowMs } = this.#options;
    const { tuning: args, words } = this.#source!;
    this.#isEnding = false;
    this.#signal = null;
    this.#startedAtMs = nowMs();
    this.#soonLooks = SOON_LOOKS;
    this.#ended = Promise.withResolvers();
    const outputs = this.#outputs();
    this.#told = JSON.stringify(outputs);
    try {
      this.#running = launch({ args, outputs, onEnd: how => this.#hasEnded(how) });
    } catch (error) {
      // There is no room for its files.
      return this.#hasEnded((error as Error).message);
    }
    log.info({ card, tuning: words }, 'dvblast started');
    this.#lookIn(LOOK_SOON_MS);
  }

  #end(): void {
    clearTimeout(this.#nextLook);
    this.#isEnding = true;
    this.#running?.stop();
  }

  #hasEnded(how: string): void {
    const { card, log, nowMs } = this.#options;
    clearTimeout(this.#nextLook);
    this.#running = null;
    this.#signal = null;
    this.#ended.resolve();
    if (!this.#isEnding) {
      this.#fault = how;
      log.warn({ card, how }, 'dvblast ended unexpectedly');
      this.#tellFaults(() => true);
    }
    if (this.#programmes.size === 0) return;
    // The card was wanted for something else, and is free now.
    if (this.#isEnding) return this.#start();
    if (nowMs() - this.#startedAtMs >= WELL_AFTER_MS) this.#failures = 0;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LAST_PAUSE_MS);
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.#start();
    }, pauseMs);
  }

  #lookIn(delayMs: number): void {
    clearTimeout(this.#nextLook);
    // Whoever looks will see it as well.
    if (!this.#isLooking) this.#nextLook = setTimeout(() => void this.#look(), delayMs);
  }

  /** Learns what the multiplex has and how it is received, and has each programme that is known go to its place. */
  async #look(): Promise<void> {
    const running = this.#running!;
    this.#isLooking = true;
    const services = parseServices(await running.ask('get_sdt'));
    const signal = this.#source?.hasSignal ? parseSignal(await running.ask('fe_status')) : null;
    if (running === this.#running && !this.#isEnding) {
      this.#services = services ?? this.#services;
      this.#signal = signal;
      const outputs = this.#outputs();
      const wanted = JSON.stringify(outputs);
      this.#tellFaults(programme => this.#services !== null && this.#idOf(programme) === null);
      const isTold = wanted === this.#told || (await running.setOutputs(outputs));
      if (isTold && running === this.#running) this.#told = wanted;
    }
    this.#isLooking = false;
    if (this.#running === null || this.#isEnding) return;
    const now = this.#outputs();
    const isWell =
      this.#services !== null && JSON.stringify(now) === this.#told && now.length === this.#programmes.size;
    this.#lookIn(isWell || this.#soonLooks-- <= 0 ? LOOK_MS : LOOK_SOON_MS);
  }

  #tellFaults(concerns: (programme: Programme) => boolean): void {
    // Who is told may release a channel.
    for (const [channel, programme] of [...this.#programmes]) {
      const reason = concerns(programme) ? this.explain(channel) : null;
      if (reason !== null) this.#options.onFault(channel, reason);
    }
  }

  #outputs(): Output[] {
    return [...this.#programmes.values()].flatMap(programme => {
      const { address, port } = programme;
      const serviceId = this.#idOf(programme);
      return serviceId === null ? [] : [{ address, port, serviceId }];
    });
  }

  /** Null for a name that the multiplex has not told. */
  #idOf({ service }: Programme): number | null {
    if (typeof service === 'number') return service;
    return [...(this.#services ?? [])].find(([, name]) => name === service)?.[0] ?? null;
  }
}
