import { SEGMENT_US, type StoredFrame } from '../../transcoder/film/rendition-folder.ts';
import type { Segment, SegmentShelf } from './segment-shelf.ts';

/** The next segment is read so long before it is due: a disk that was asleep may take a second. */
const AHEAD_US = 1_000_000;
/** How often a segment that is not prepared yet is looked for. */
const RETRY_US = 200_000;

interface Slot {
  readonly segment: number;
  readonly askedAtUs: number;
  content: Segment | 'reading';
  release(): void;
}

export interface TrackPorts {
  readonly shelf: SegmentShelf;
  readonly failed: (reason: string) => void;
}

/** Picture or sound of one reel: the segment that is played and the next one, and how far they are played. */
export class Track {
  readonly #folder: string;
  readonly #ports: TrackPorts;
  #current: Slot;
  #ahead: Slot | null = null;
  /** Of the current segment, the frame to come. */
  #next = 0;

  constructor(folder: string, ports: TrackPorts, segment: number, nowUs: number) {
    this.#folder = folder;
    this.#ports = ports;
    this.#current = this.#load(segment, nowUs);
  }

  /** Goes on with the first frame of a segment. */
  go(segment: number, nowUs: number): void {
    const { segment: current, content } = this.#current;
    this.#next = 0;
    if (segment === current && content !== 'absent') return;
    this.close();
    this.#ahead = null;
    this.#current = this.#load(segment, nowUs);
  }

  get hasEnded(): boolean {
    return this.#current.content === 'end';
  }

  /** How far it can be played now when it is to be played to `untilUs`: so far, or to the segment that is not there. */
  reach(untilUs: number, nowUs: number): number {
    this.#prepare(untilUs, nowUs);
    for (const slot of [this.#current, this.#ahead]) {
      if (slot === null || slot.content === 'end') break;
      if (typeof slot.content === 'string') return Math.min(untilUs, startOf(slot));
      if (untilUs < endOf(slot)) return untilUs;
      if (slot === this.#ahead || this.#ahead === null) return endOf(slot);
    }
    return untilUs;
  }

  /** Gives the frames that are due by `untilUs`, to which {@link reach} has said that it can be played. */
  play(untilUs: number, nowUs: number, push: (frame: StoredFrame) => void): void {
    for (let { content } = this.#current; typeof content !== 'string'; { content } = this.#current) {
      while (this.#next < content.length && content[this.#next]!.ptsUs <= untilUs) push(content[this.#next++]!);
      if (this.#next < content.length || untilUs < endOf(this.#current)) return;
      this.#current.release();
      this.#current = this.#ahead ?? this.#load(this.#current.segment + 1, nowUs);
      this.#ahead = null;
      this.#next = 0;
    }
  }

  close(): void {
    this.#current.release();
    this.#ahead?.release();
  }

  /** Asks for what will be needed, and again for what was not there. */
  #prepare(untilUs: number, nowUs: number): void {
    this.#current = this.#renewed(this.#current, nowUs);
    if (typeof this.#current.content === 'string') return;
    if (this.#ahead !== null) this.#ahead = this.#renewed(this.#ahead, nowUs);
    else if (untilUs >= endOf(this.#current) - AHEAD_US) this.#ahead = this.#load(this.#current.segment + 1, nowUs);
  }

  #renewed(slot: Slot, nowUs: number): Slot {
    const isDue = slot.content === 'absent' && nowUs - slot.askedAtUs >= RETRY_US;
    return isDue ? this.#load(slot.segment, nowUs) : slot;
  }

  #load(segment: number, askedAtUs: number): Slot {
    const { shelf, failed } = this.#ports;
    const { reading, release } = shelf.take(this.#folder, segment);
    const slot: Slot = { segment, askedAtUs, content: 'reading', release };
    reading.then(
      content => {
        slot.content = content;
      },
      (error: Error) => {
        if (slot === this.#current || slot === this.#ahead) failed(error.message);
      },
    );
    return slot;
  }
}

function startOf({ segment }: Slot): number {
  return segment * SEGMENT_US;
}

function endOf({ segment }: Slot): number {
  return (segment + 1) * SEGMENT_US;
}
