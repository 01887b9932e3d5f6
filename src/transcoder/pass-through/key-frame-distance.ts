/** A viewer waits for the next key frame when he joins and when he has lost something: a second on the average. */
const MOST_US = 2_500_000;
/** Groups of pictures that say how the next one will be. */
const REMEMBERED = 8;

interface Group {
  readonly startUs: number;
  lastUs: number;
  isReordered: boolean;
}

/**
 * Watches the groups of pictures of a stream, each a key frame and what follows it: are its key frames near enough, and
 * are its pictures sent in the order in which they are shown.
 */
export class KeyFrameDistance {
  #group: Group | null = null;
  readonly #lengthsUs: number[] = [];
  readonly #reordered: boolean[] = [];

  /** `isReordered`: is it known already that pictures are not sent in their order. */
  constructor(isReordered: boolean) {
    if (isReordered) this.#reordered.push(true);
  }

  take(isKeyFrame: boolean, ptsUs: number): void {
    if (isKeyFrame) {
      if (this.#group !== null) {
        remember(this.#lengthsUs, ptsUs - this.#group.startUs);
        remember(this.#reordered, this.#group.isReordered);
      }
      this.#group = { startUs: ptsUs, lastUs: ptsUs, isReordered: false };
    } else if (this.#group !== null) {
      this.#group.isReordered ||= ptsUs < this.#group.lastUs;
      this.#group.lastUs = Math.max(this.#group.lastUs, ptsUs);
    }
  }

  /** What is wrong; null when nothing is. */
  get obstacle(): string | null {
    if (this.#reordered.includes(true) || this.#group?.isReordered) return 'it has B-frames';
    const runningUs = this.#group === null ? 0 : this.#group.lastUs - this.#group.startUs;
    const longestUs = Math.max(runningUs, ...this.#lengthsUs);
    if (longestUs <= MOST_US) return null;
    return runningUs === longestUs
      ? `its key frames are more than ${MOST_US / 1_000_000} s apart`
      : `its key frames are up to ${(longestUs / 1_000_000).toFixed(1)} s apart`;
  }

  /** Has a whole group been seen. */
  get isKnown(): boolean {
    return this.#lengthsUs.length > 0;
  }
}

function remember<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > REMEMBERED) list.shift();
}
