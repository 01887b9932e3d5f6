import { sourceOf } from '../admission/index.ts';

export interface MostConnections {
  readonly total: number;
  /** But for proxies of ours, which have the connections of many. */
  readonly perSource: number;
}

/** How many connections are held, whatever is spoken on them: in all, and from one source. */
export class ConnectionLimits {
  readonly #most: MostConnections;
  readonly #isTrusted: (address: string) => boolean;
  readonly #bySource = new Map<string, number>();
  #total = 0;

  constructor(most: MostConnections, isTrusted: (address: string) => boolean = () => false) {
    this.#most = most;
    this.#isTrusted = isTrusted;
  }

  /** Takes a connection in and returns how to let it go, once; null when it is one too many. */
  admit(remoteAddress: string): (() => void) | null {
    const source = sourceOf(remoteAddress);
    const held = this.#bySource.get(source) ?? 0;
    const isFull = held >= this.#most.perSource && !this.#isTrusted(remoteAddress);
    if (this.#total >= this.#most.total || isFull) return null;
    this.#total++;
    this.#bySource.set(source, held + 1);
    return () => {
      this.#total--;
      const left = this.#bySource.get(source)! - 1;
      if (left === 0) this.#bySource.delete(source);
      else this.#bySource.set(source, left);
    };
  }
}
