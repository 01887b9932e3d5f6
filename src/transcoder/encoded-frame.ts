/** One access unit as it goes to viewers. The data belongs to whoever gets it, and is not changed any more. */
export interface EncodedFrame {
  readonly keyFrame: boolean;
  /** Unix time in microseconds at which it is to be presented. */
  readonly ptsUs: number;
  readonly data: Uint8Array;
}
