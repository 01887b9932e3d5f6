import type { Medium } from './source.ts';

/** Whose key frames are further apart is heard before it is seen. */
const MOST_US = 3_000_000;

/**
 * What comes of a live source before its first key frame: nobody can see it. Were the time of the source to begin with it,
 * the key frame would be due as much later as it comes later in the source, though it is there already.
 */
export class LeadIn {
  #beganUs: number | null = null;
  #isOver: boolean;

  constructor({ hasPicture }: { readonly hasPicture: boolean }) {
    this.#isOver = !hasPicture;
  }

  /** Is the next packet, with its source's own time, to be left out. */
  leavesOut(medium: Medium, isKeyFrame: boolean, mediaUs: number): boolean {
    this.#beganUs ??= mediaUs;
    // Also when the source's time jumps, back or ahead.
    const isLong = Math.abs(mediaUs - this.#beganUs) > MOST_US;
    this.#isOver ||= isLong || (medium === 'video' && isKeyFrame);
    return !this.#isOver;
  }
}
