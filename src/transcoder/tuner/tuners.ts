import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Logger } from '../../observe/index.ts';
import { type DvbFault, type DvbSource, parseDvbUrl } from './dvb-url.ts';
import { Dvblast } from './dvblast.ts';
import type { Signal } from './reports.ts';
import { type Place, Tuner } from './tuner.ts';

export interface TunersOptions {
  readonly log: Logger;
  /** Sources of the channels; without one that needs a tuner nothing is opened. */
  readonly sources: readonly string[];
  /** Why a channel gets nothing of its card for now, as soon as that is known. */
  readonly onFault: (channel: string, reason: string) => void;
  /** So many bytes that nobody can guess. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** The source to be played for a channel, or why there is none. */
export type Tuned = { readonly source: string } | { readonly fault: string };

const SCHEME = 'dvb:';

/** What is wrong with a source as it is configured; null for nothing, and for sources that need no tuner. */
export function sourceFault(source: string): DvbFault | null {
  const parsed = source.startsWith(SCHEME) ? parseDvbUrl(source) : null;
  return parsed !== null && 'fault' in parsed ? parsed : null;
}

/**
 * The cards of this machine. Transcoders are one process a channel, and a card serves several channels, so its dvblast
 * runs beside them: it sends each channel its programme over loopback.
 *
 * Each programme has an address of its own in 127.0.0.0/8, of three random bytes, at one port. The kernel gave that port
 * to a socket at 127.0.0.1, which is held as long as we run: so no socket at 0.0.0.0 can have it, and nobody
 * but us has reason to bind one of these addresses. The transcoder that does so finds out if somebody has.
 */
export class Tuners {
  readonly #options: TunersOptions;
  readonly #holder: Socket | null;
  /** By card. */
  readonly #tuners = new Map<string, Tuner>();
  /** By channel. */
  readonly #inUse = new Map<string, { readonly tuner: Tuner; readonly place: Place }>();

  static async open(options: TunersOptions): Promise<Tuners> {
    if (!options.sources.some(source => source.startsWith(SCHEME))) return new Tuners(options, null);
    const holder = createSocket('udp4').bind(0, '127.0.0.1').unref();
    await once(holder, 'listening');
    return new Tuners(options, holder);
  }

  private constructor(options: TunersOptions, holder: Socket | null) {
    this.#options = options;
    this.#holder = holder;
  }

  /** Tunes a card when the channel's source is on one, until it is released; any other source is left as it is. */
  tune(channel: string, source: string): Tuned {
    if (!source.startsWith(SCHEME)) return { source };
    const wanted = parseDvbUrl(source);
    if ('fault' in wanted) return { fault: `${wanted.fault}; ${wanted.remedy}` };
    this.release(channel);
    const tuner = this.#tunerOf(wanted);
    const place = this.#newPlace();
    const fault = tuner.take(channel, wanted, place);
    if (fault !== null) return { fault };
    this.#inUse.set(channel, { tuner, place });
    return { source: `${SCHEME}//${place.address}:${place.port}` };
  }

  release(channel: string): void {
    this.#inUse.get(channel)?.tuner.release(channel);
    this.#inUse.delete(channel);
  }

  /** Why a channel gets nothing of its card; null when that is not the reason, or not known. */
  explain(channel: string): string | null {
    return this.#inUse.get(channel)?.tuner.explain(channel) ?? null;
  }

  /** How the card receives that a channel is on; null for any other channel. */
  signal(channel: string): Signal | null {
    return this.#inUse.get(channel)?.tuner.signal ?? null;
  }

  /** By card, of those in use whose signal is known. */
  get signals(): ReadonlyMap<string, Signal> {
    return new Map([...this.#tuners].flatMap(([card, { signal }]) => (signal === null ? [] : [[card, signal]])));
  }

  /** Resolves when every process is gone. */
  async close(): Promise<void> {
    await Promise.all([...this.#tuners.values()].map(tuner => tuner.close()));
    this.#holder?.close();
  }

  #tunerOf({ card }: DvbSource): Tuner {
    const { log, nowMs, onFault } = this.#options;
    const launch = (options: ConstructorParameters<typeof Dvblast>[0]) => new Dvblast(options);
    const tuner = this.#tuners.get(card) ?? new Tuner({ card, log, nowMs, onFault, launch });
    this.#tuners.set(card, tuner);
    return tuner;
  }

  #newPlace(): Place {
    const { port } = this.#holder!.address();
    for (;;) {
      const [first = 0, second, third] = this.#options.randomBytes(3);
      const address = `127.${first}.${second}.${third}`;
      // 127.0.x.y is where other programs look for each other, 127.255.255.255 is no host.
      const isTaken = [...this.#inUse.values()].some(({ place }) => place.address === address);
      if (first > 0 && first < 255 && !isTaken) return { address, port };
    }
  }
}
