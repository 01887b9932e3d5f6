import type { StoredFrame } from '../../transcoder/film/rendition-folder.ts';

/** A segment's frames; `absent` when it is not prepared yet, `end` when the film has no such segment. */
export type Segment = readonly StoredFrame[] | 'absent' | 'end';

export type ReadSegment = (folder: string, segment: number) => Promise<Segment>;

/** Segments in memory while somebody plays them; whoever plays the same shares them. */
export class SegmentShelf {
  readonly #read: ReadSegment;
  readonly #held = new Map<string, { readonly reading: Promise<Segment>; users: number }>();

  constructor(read: ReadSegment) {
    this.#read = read;
  }

  /** Each call needs one `release`. */
  take(folder: string, segment: number): { readonly reading: Promise<Segment>; release(): void } {
    const key = `${folder} ${segment}`;
    const held = this.#held.get(key) ?? { reading: this.#read(folder, segment), users: 0 };
    this.#held.set(key, held);
    held.users++;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--held.users === 0) this.#held.delete(key);
    };
    // What is not there yet is looked for again the next time.
    held.reading.then(
      found => found === 'absent' && this.#held.get(key) === held && this.#held.delete(key),
      () => this.#held.get(key) === held && this.#held.delete(key),
    );
    return { reading: held.reading, release };
  }

  get size(): number {
    return this.#held.size;
  }
}
