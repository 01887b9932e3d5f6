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
  dueUs: number;
  endUs: number;
  readAtUs: number;
}

interface Epoch {
  offsetUs: number;
}

/** What was read later than it is due by this much comes too late whatever is done: the source stood still. */
const LATE_US = 1_000_000;
/** A track's time that goes back further than reordered pictures do, or ahead further than any pause, has jumped. */
const BACK_US = 1_000_000;
const AHEAD_US = 3_000_000;

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
  /** The latest; a track that jumps looks first whether another one has jumped before it. */
  #epoch: Epoch | null = null;
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
    this.#epoch ??= { offsetUs: nowUs + this.#options.delayUs - mediaUs };
    const track = this.#tracks.get(trackId) ?? {
      epoch: this.#epoch,
      dueUs: Number.NaN,
      endUs: Number.NaN,
      readAtUs: nowUs,
    };
    this.#tracks.set(trackId, track);
    const at = ({ offsetUs }: Epoch) => mediaUs + offsetUs + this.#slewUs;
    if (!isPlausible(at(track.epoch), track, nowUs, held)) {
      if (!isPlausible(at(this.#epoch), track, nowUs, held)) {
        const goesOnUs = Math.max(
          Number.isNaN(track.endUs) ? 0 : track.endUs,
          nowUs + (held ? 0 : this.#options.delayUs),
        );
        this.#epoch = { offsetUs: goesOnUs - mediaUs - this.#slewUs };
      }
      track.epoch = this.#epoch;
    }
    if (this.#options.live && !held) this.#follow(at(track.epoch) - nowUs, nowUs);
    track.dueUs = at(track.epoch);
    track.endUs = Number.isNaN(track.endUs)
      ? track.dueUs + durationUs
      : Math.max(track.endUs, track.dueUs + durationUs);
    track.readAtUs = nowUs;
    return track.dueUs;
  }

  /** The source begins anew at this moment of its own time: it goes on where the longest of its tracks ended. */
  beginAnew(startUs: number): void {
    const endUs = Math.max(...[...this.#tracks.values()].map(track => track.endUs));
    this.#epoch = { offsetUs: endUs - startUs - this.#slewUs };
    for (const track of this.#tracks.values()) {
      track.epoch = this.#epoch;
      track.dueUs = endUs;
      track.endUs = endUs;
    }
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
}

/** Can a track's next packet be due then? */
function isPlausible(dueUs: number, track: Track, nowUs: number, held: boolean): boolean {
  if (!held && dueUs < nowUs - LATE_US) return false;
  if (Number.isNaN(track.dueUs)) return true;
  if (dueUs < track.dueUs - BACK_US) return false;
  // While nothing came, the source's time went on as ours did.
  return dueUs - track.endUs - (nowUs - track.readAtUs) <= AHEAD_US;
}
