import { isLoopback, sourceOf } from '../admission/index.ts';
import type { Flow } from '../transport/index.ts';

export interface PlaceLimits {
  readonly total: number;
  /** Of one source. A proxy, which speaks for many, has no such limit. */
  readonly perSource: number;
  /** Of subscribers who are not proved, together: a flood with forged sources fills these places alone. */
  readonly unproved: number;
}

export const PLACE_LIMITS: PlaceLimits = { total: 20_000, perSource: 1_000, unproved: 1_000 };

export interface Place {
  /** The subscriber is where he says. */
  prove(): void;
  release(): void;
}

/** How many subscriptions there may be. */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #isTrusted: (address: string) => boolean;
  readonly #perSource = new Map<string, number>();
  #total = 0;
  #unproved = 0;

  constructor(limits: PlaceLimits, isTrusted: (address: string) => boolean = () => false) {
    this.#limits = limits;
    this.#isTrusted = isTrusted;
  }

  get taken(): number {
    return this.#total;
  }

  /** Null when there is none left. */
  take({ remoteAddress }: Flow, isProved: boolean): Place | null {
    const { total, perSource, unproved } = this.#limits;
    if (this.#total >= total || (!isProved && this.#unproved >= unproved)) return null;
    const isExempt = isLoopback(remoteAddress) || this.#isTrusted(remoteAddress);
    const source = isExempt ? null : sourceOf(remoteAddress);
    if (source !== null && (this.#perSource.get(source) ?? 0) >= perSource) return null;
    this.#total++;
    this.#count(source, 1);
    if (!isProved) this.#unproved++;
    let isWaiting = !isProved;
    const prove = () => {
      if (isWaiting) this.#unproved--;
      isWaiting = false;
    };
    const release = () => {
      prove();
      this.#total--;
      this.#count(source, -1);
    };
    return { prove, release };
  }

  #count(source: string | null, change: 1 | -1): void {
    if (source === null) return;
    const count = (this.#perSource.get(source) ?? 0) + change;
    if (count === 0) this.#perSource.delete(source);
    else this.#perSource.set(source, count);
  }
}
