export interface TimelineOptions {
  /** Unix time in microseconds, never going back. */
  readonly nowUs: () => number;
  /** From the moment at which the first packet was read until it is due: what evens out the network's jitter. */
  readonly delayUs: number;
  /** Does the source have a clock of its own, which ours follows. */
  readonly live: boolean;
}

interface Track {
  /** What is added to the track's own time; an object that tracks share which count on the same line. */
  epoch: Epoch;
  last: Moment;
  /** The one before it, should the last be wrong. */
  before: Moment;
  readAtUs: number;
}

interface Moment {
  readonly dueUs: number;
  /** Of all until then. */
  readonly endUs: number;
}

interface Epoch {
  offsetUs: number;
}

/** What was read later than it is due by this much is not only behind the rest: the source stood still. */
const LATE_US = 3_000_000;
/** A track's time that goes back further than reordered pictures do, or ahead further than any pause, has jumped. */
const BACK_US = 1_000_000;
const AHEAD_US = 3_000_000;

/** A damaged time stamp is taken for a jump, and the next one for another: back to where it was before. */
const REMEMBERED_EPOCHS = 4;

const NEVER: Moment = { dueUs: Number.NaN, endUs: Number.NaN };

/** How much faster or slower than its own clock a source may be shown: nobody sees or hears one part in 200. */
const SLEW = 0.005;
/** The longest that a playlist's segments stay away; the packet that comes in the worst moment of it counts. */
const WINDOW_US = 30_000_000;

/**
 * Puts a source's own time on the line of Unix time: tells of each packet, as it is read, when it is due. A jump of the
 * source's clock, or its wrap, goes on right after what came before it. Two clocks never run alike, so the time of a
 * live source is stretched until its packets come neither too late nor earlier and earlier.
 */
export class Timeline {
  readonly #options: TimelineOptions;
  readonly #tracks = new Map<number, Track>();
  /** The latest first; a track that jumps looks first whether another one has jumped before it, or it has itself. */
  #epochs: readonly Epoch[] = [];
  #slewUs = 0;
  #slewGoalUs = 0;
  #slewedAtUs = 0;
  #windowEndUs = 0;
  #leastSlackUs = Number.POSITIVE_INFINITY;

  constructor(options: TimelineOptions) {
    this.#options = options;
  }

  /**
   * When a packet of a track is due, in Unix microseconds. `held` when it was we who did not read sooner: then the moment
   * says nothing of the source.
   */
  due(trackId: number, mediaUs: number, durationUs: number, held: boolean): number {
    const nowUs = this.#options.nowUs();
    if (this.#epochs.length === 0) this.#epochs = [this.#beginning(mediaUs)];
    const track = this.#tracks.get(trackId) ?? { epoch: this.#epochs[0]!, last: NEVER, before: NEVER, readAtUs: nowUs };
    this.#tracks.set(trackId, track);
    const epoch = this.#epochOf(track, mediaUs, nowUs, held);
    if (epoch !== track.epoch) this.#epochs = [epoch, ...this.#epochs.filter(each => each !== epoch)];
    this.#epochs = this.#epochs.slice(0, REMEMBERED_EPOCHS);
    track.epoch = epoch;
    const slackUs = this.#at(epoch, mediaUs) - nowUs;
    // A step back is a picture out of its order, or damage.
    const goesBack = nowUs + slackUs < track.last.dueUs;
    if (slackUs < 0 && !held && !goesBack) this.#putOff(slackUs);
    else if (this.#options.live && !held) this.#follow(slackUs, nowUs);
    const dueUs = this.#at(epoch, mediaUs);
    const endUs = Number.isNaN(track.last.endUs) ? dueUs + durationUs : Math.max(track.last.endUs, dueUs + durationUs);
    [track.before, track.last] = [track.last, { dueUs, endUs }];
    track.readAtUs = nowUs;
    return dueUs;
  }

  /**
   * When something is due that comes so seldom that nothing can be told of it, in Unix microseconds. Where it is the first
   * of all, the source begins at `startUs` of its own time.
   */
  dueBeside(mediaUs: number, startUs: number): number {
    if (this.#epochs.length === 0) this.#epochs = [this.#beginning(startUs)];
    return this.#at(this.#epochs[0]!, mediaUs);
  }

  /** When all is over that was read until now, in Unix microseconds; 0 before there is any. */
  get endUs(): number {
    return Math.max(0, ...[...this.#tracks.values()].map(({ last }) => last.endUs));
  }

  /** The source begins anew at this moment of its own time: it goes on where the longest of its tracks ended. */
  beginAnew(startUs: number): void {
    const { endUs } = this;
    const epoch = { offsetUs: endUs - startUs - this.#slewUs };
    this.#epochs = [epoch];
    for (const track of this.#tracks.values()) {
      track.epoch = epoch;
      track.last = { dueUs: endUs, endUs };
      track.before = track.last;
    }
  }

  #beginning(mediaUs: number): Epoch {
    const { nowUs, delayUs } = this.#options;
    return { offsetUs: nowUs() + delayUs - mediaUs };
  }

  #at({ offsetUs }: Epoch, mediaUs: number): number {
    return mediaUs + offsetUs + this.#slewUs;
  }

  /** The line on which the track's next packet is: its own, one that is known, or else a new one. */
  #epochOf(track: Track, mediaUs: number, nowUs: number, held: boolean): Epoch {
    const elapsedUs = nowUs - track.readAtUs;
    const isPlausible = (epoch: Epoch, { dueUs, endUs }: Moment) => {
      const atUs = this.#at(epoch, mediaUs);
      if (!held && atUs < nowUs - LATE_US) return false;
      if (Number.isNaN(dueUs)) return true;
      // While nothing came, the source's time went on as ours did; and where another track is, this one may be as well.
      const others = [...this.#tracks.values()].filter(each => each !== track && each.epoch === epoch);
      const latestUs = Math.max(endUs + elapsedUs, ...others.map(({ last }) => last.endUs));
      return atUs >= dueUs - BACK_US && atUs <= latestUs + AHEAD_US;
    };
    if (isPlausible(track.epoch, track.last)) return track.epoch;
    if (track.before !== NEVER && isPlausible(track.epoch, track.before)) {
      track.last = track.before;
      return track.epoch;
    }
    const known = this.#epochs.find(epoch => isPlausible(epoch, track.last));
    if (known !== undefined) return known;
    const { endUs } = track.last;
    const goesOnUs = Math.max(Number.isNaN(endUs) ? 0 : endUs, nowUs + (held ? 0 : this.#options.delayUs));
    return { offsetUs: goesOnUs - mediaUs - this.#slewUs };
  }

  /** Keeps the packet that comes latest of all at the delay that was wanted. */
  #follow(slackUs: number, nowUs: number): void {
    this.#leastSlackUs = Math.min(this.#leastSlackUs, slackUs);
    if (this.#windowEndUs === 0) [this.#windowEndUs, this.#slewedAtUs] = [nowUs + WINDOW_US, nowUs];
    if (nowUs >= this.#windowEndUs) {
      const { delayUs } = this.#options;
      // Between half of the delay and twice as much all is well: stretching for its own sake would never end.
      const isWell = this.#leastSlackUs >= delayUs / 2 && this.#leastSlackUs <= 2 * delayUs;
      this.#slewGoalUs = isWell ? this.#slewUs : this.#slewUs + delayUs - this.#leastSlackUs;
      this.#leastSlackUs = Number.POSITIVE_INFINITY;
      this.#windowEndUs = nowUs + WINDOW_US;
    }
    const mostUs = (nowUs - this.#slewedAtUs) * SLEW;
    const wantedUs = this.#slewGoalUs - this.#slewUs;
    this.#slewUs += Math.max(-mostUs, Math.min(mostUs, wantedUs));
    this.#slewedAtUs = nowUs;
  }

  /**
   * A packet is too late already, and those like it would be: sound that is sent behind its picture, or a quarter of a
   * second of it at once. Everything waits for it, once, since what is left out instead would be missed again and again.
   */
  #putOff(slackUs: number): void {
    const { delayUs } = this.#options;
    this.#slewUs += delayUs - slackUs;
    this.#slewGoalUs = this.#slewUs;
    this.#leastSlackUs = delayUs;
  }
}
