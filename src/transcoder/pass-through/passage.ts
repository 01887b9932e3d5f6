import type { EncodedFrame } from '../encoded-frame.ts';
import type { Verdict } from '../wire.ts';

/** Reads a stream's packets as they come, says whether viewers take them so, and makes of each what they get. Pure. */
export interface Passage {
  readonly verdict: Verdict;
  /** The next packet in the stream's own order; null when there is nothing in it for viewers. */
  take(data: Buffer, ptsUs: number): EncodedFrame | null;
}

/** For as long as too little of a stream was seen. */
export const NOT_YET_KNOWN = 'it is not yet known whether it can be passed through';
