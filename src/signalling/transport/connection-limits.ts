import { sourceOf } from '../admission/index.ts';

export interface MostConnections {
  readonly total: number;
  readonly perSource: number;
}

/** How many connections are held, whatever is spoken on them: in all, and from one source. */
export class ConnectionLimits {
  readonly #most: MostConnections;
  readonly #bySource = new Map<string, number>();
  #total = 0;

  constructor(most: MostConnections) {
    this.#most = most;
  }

  /** Takes a connection in and returns how to let it go, once; null when it is one too many. */
  admit(remoteAddress: string): (() => void) | null {
    const source = sourceOf(remoteAddress);
    const held = this.#bySource.get(source) ?? 0;
    if (this.#total >= this.#most.total || held >= this.#most.perSource) return null;
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
