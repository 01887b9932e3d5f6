import { EFFORTS, type Effort } from '../wire.ts';

/** What comes out of an encoder so much later than it is due is late; it is due when it goes in. */
const LATE_US = 150_000;
/** A process is behind in a period in which this part of its pictures is late or left out. */
const BEHIND = 0.1;
/** Fewer pictures in a period tell nothing. */
const LEAST_PICTURES = 5;
/** Anybody may be held up for a moment. */
const PERIODS_BEHIND = 3;
/** New encoders are slow with their first pictures. */
const PERIODS_TO_SETTLE = 2;
/** A process that was well so long may do more again, doubled each time that it turns out too much. */
const PERIODS_WELL = 30;
const MOST_PERIODS_WELL = 3_600;

/**
 * Does a process keep up with its pictures, and how much may it do for them: less when it falls behind, and more again
 * when all was well for long. Pure: time is the periods that it is told of, a second each.
 */
export class LoadWatch {
  #step = 0;
  #pictures = 0;
  #bad = 0;
  #settling = 0;
  #periodsBehind = 0;
  #periodsWell = 0;
  #wellNeeded = PERIODS_WELL;
  /** Periods at more than before, while it may still turn out too much. */
  #onTrial: number | null = null;

  /** A picture came out of its encoder, so long after it was due. */
  encoded(lagUs: number): void {
    this.#pictures++;
    if (lagUs > LATE_US) this.#bad++;
  }

  /** A picture was left out, since there was no time for it. */
  leftOut(): void {
    this.#pictures++;
    this.#bad++;
  }

  /** A period is over: what may be done from now on. */
  endPeriod(): Effort {
    const [pictures, bad] = [this.#pictures, this.#bad];
    [this.#pictures, this.#bad] = [0, 0];
    if (this.#settling > 0) this.#settling--;
    else if (pictures >= LEAST_PICTURES) this.#judge(bad >= pictures * BEHIND);
    return EFFORTS[this.#step]!;
  }

  #judge(isBehind: boolean): void {
    this.#periodsBehind = isBehind ? this.#periodsBehind + 1 : 0;
    this.#periodsWell = isBehind ? 0 : this.#periodsWell + 1;
    if (this.#onTrial !== null && ++this.#onTrial > this.#wellNeeded) {
      this.#onTrial = null;
      this.#wellNeeded = PERIODS_WELL;
    }
    if (this.#periodsBehind >= PERIODS_BEHIND && this.#step < EFFORTS.length - 1) {
      if (this.#onTrial !== null) this.#wellNeeded = Math.min(2 * this.#wellNeeded, MOST_PERIODS_WELL);
      this.#onTrial = null;
      this.#go(this.#step + 1);
    } else if (this.#periodsWell >= this.#wellNeeded && this.#step > 0) {
      this.#onTrial = 0;
      this.#go(this.#step - 1);
    }
  }

  #go(step: number): void {
    this.#step = step;
    this.#settling = PERIODS_TO_SETTLE;
    this.#periodsBehind = 0;
    this.#periodsWell = 0;
  }
}
