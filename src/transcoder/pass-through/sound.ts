import type { EncodedFrame } from '../encoded-frame.ts';
import type { PassThrough, Verdict } from '../wire.ts';
import type { Passage } from './passage.ts';

/** What a phone's buffer takes, and loses no more than that with a packet. */
const MOST_US = 60_000;
/** How far a packet's own time may be from the end of the one before it until it counts: containers round times. */
const TOLERANCE_US = 20_000;

/**
 * Sound whose packets are what viewers get. Their times follow each other by what is in them, to the sample: a decoder
 * would fill a hole of one sample with a click.
 */
export class SoundPassage implements Passage {
  readonly #passThrough: PassThrough;
  readonly #durationUs: (packet: Uint8Array) => number;
  #nextUs = Number.NaN;
  #hasLong = false;

  constructor(passThrough: PassThrough, durationUs: (packet: Uint8Array) => number) {
    this.#passThrough = passThrough;
    this.#durationUs = durationUs;
  }

  take(data: Buffer, ptsUs: number): EncodedFrame | null {
    const durationUs = this.#durationUs(data);
    if (durationUs === 0) return null;
    this.#hasLong ||= durationUs > MOST_US;
    const startUs = Math.abs(ptsUs - this.#nextUs) <= TOLERANCE_US ? this.#nextUs : ptsUs;
    this.#nextUs = startUs + durationUs;
    return { keyFrame: true, ptsUs: startUs, data: Uint8Array.from(data) };
  }

  get verdict(): Verdict {
    if (this.#hasLong) return { obstacle: `its packets are longer than ${MOST_US / 1000} ms` };
    return { passThrough: this.#passThrough };
  }
}

/** G.711: a byte is a sample, 8000 a second. */
export const g711DurationUs = (packet: Uint8Array): number => packet.length * 125;

/** RFC 6716 table 2, in microseconds: what a frame lasts by the lowest bits of its configuration. */
const SILK_US = [10_000, 20_000, 40_000, 60_000];
const HYBRID_US = [10_000, 20_000];
const CELT_US = [2_500, 5_000, 10_000, 20_000];
const FIRST_HYBRID = 12;
const FIRST_CELT = 16;
const FRAMES_MASK = 0x3f;

/** RFC 6716 §3.1: what an Opus packet lasts by its first bytes; 0 when it is damaged. */
export function opusDurationUs(packet: Uint8Array): number {
  const [head, second = 0] = packet;
  if (head === undefined) return 0;
  const configuration = head >> 3;
  const frames = [1, 2, 2, second & FRAMES_MASK][head & 3]!;
  if (configuration >= FIRST_CELT) return frames * CELT_US[configuration & 3]!;
  return frames * (configuration >= FIRST_HYBRID ? HYBRID_US[configuration & 1]! : SILK_US[configuration & 3]!);
}
