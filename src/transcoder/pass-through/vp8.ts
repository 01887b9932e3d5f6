import type { EncodedFrame } from '../encoded-frame.ts';
import type { Verdict } from '../wire.ts';
import { KeyFrameDistance } from './key-frame-distance.ts';
import { NOT_YET_KNOWN, type Passage } from './passage.ts';

/** VP8: each packet is a frame; the lowest bit of its first byte is 0 for a key frame (RFC 6386 §9.1). */
export class Vp8Passage implements Passage {
  readonly #distance = new KeyFrameDistance(false);

  take(data: Buffer, ptsUs: number): EncodedFrame | null {
    if (data.length === 0) return null;
    const keyFrame = (data[0]! & 1) === 0;
    this.#distance.take(keyFrame, ptsUs);
    return { keyFrame, ptsUs, data: Uint8Array.from(data) };
  }

  get verdict(): Verdict {
    const { obstacle, isKnown } = this.#distance;
    if (obstacle !== null) return { obstacle };
    return { passThrough: { codec: 'vp8' }, ...(!isKnown && { obstacle: NOT_YET_KNOWN }) };
  }
}
