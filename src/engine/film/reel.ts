import { SEGMENT_US, segmentAt } from '../../transcoder/film/rendition-folder.ts';
import type { Feed } from '../feed.ts';
import type { ReelState } from '../protocol.ts';
import type { SegmentShelf } from './segment-shelf.ts';
import { SILENCE_US, silenceOf } from './silence.ts';
import { Track } from './track.ts';

export interface ReelPorts {
  readonly shelf: SegmentShelf;
  readonly moved: (state: ReelState) => void;
  /** All of it was played. */
  readonly ended: () => void;
  readonly failed: (reason: string) => void;
}

/** A frame that is as late as this was missed while we were not called; the film stands still rather than hurry. */
const LATE_US = 500_000;

/**
 * One viewer's position in a film. It runs while somebody is at the end of a feed of his, and its picture and sound stand
 * still together when one of them is not there; then silence is sent. Times are Unix time in microseconds, or film time where that is said.
 */
export class Reel {
  readonly #ports: ReelPorts;
  readonly #tracks = new Map<Feed, Track>();
  /** In film time, while it stands. */
  #positionUs = 0;
  /** When film time was 0, while it runs. */
  #originUs: number | null = null;
  #paused = false;
  #tickedAtUs = 0;
  /** When the next silence is due, while it stands. */
  #silenceAtUs = 0;
  /** Whoever was on hold may have forgotten all pictures: he gets the last key frame first. */
  #wasWatched = false;
  #over = false;

  constructor(ports: ReelPorts) {
    this.#ports = ports;
  }

  /** The feed gets what is in this folder. */
  add(feed: Feed, folder: string, nowUs: number): void {
    const { shelf, failed } = this.#ports;
    // Who comes later comes in with a key frame, too.
    const segment = segmentAt(this.positionUs(nowUs)) + (this.#originUs === null ? 0 : 1);
    this.#tracks.set(
      feed,
      new Track(folder, { shelf, failed: reason => this.#end(() => failed(reason)) }, segment, nowUs),
    );
  }

  remove(feed: Feed): void {
    this.#tracks.get(feed)?.close();
    this.#tracks.delete(feed);
  }

  /** In film time. */
  positionUs(nowUs: number): number {
    return this.#originUs === null ? this.#positionUs : nowUs - this.#originUs;
  }

  /** Goes to the key frame at or before a moment of film time. */
  seek(filmUs: number, nowUs: number): void {
    if (this.#over) return;
    const segment = segmentAt(Math.max(0, filmUs));
    for (const track of this.#tracks.values()) track.go(segment, nowUs);
    this.#stand(segment * SEGMENT_US);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
  }

  /** Sends what is due. */
  tick(nowUs: number): ReelState {
    const isWatched = [...this.#tracks.keys()].some(({ watchers }) => watchers > 0);
    if (this.#over) return this.#state(nowUs);
    if (isWatched && !this.#wasWatched) this.#rewind(nowUs);
    this.#wasWatched = isWatched;
    if (this.#paused || !isWatched) {
      if (this.#originUs !== null) this.#stand(this.positionUs(this.#tickedAtUs));
    } else {
      // After a break of ours nobody is to get all at once what was due in it.
      const missedUs = nowUs - this.#tickedAtUs;
      if (this.#originUs !== null && missedUs > LATE_US) {
        this.#originUs += missedUs;
        this.#ports.moved(this.#state(nowUs));
      }
      this.#play(nowUs);
    }
    if (this.#originUs === null && isWatched && !this.#over) this.#beSilent(nowUs);
    this.#tickedAtUs = nowUs;
    return this.#state(nowUs);
  }

  close(): void {
    this.#over = true;
    for (const track of this.#tracks.values()) track.close();
    this.#tracks.clear();
  }

  #play(nowUs: number): void {
    const tracks = [...this.#tracks];
    const wantedUs = this.#originUs === null ? this.#positionUs + 1 : nowUs - this.#originUs;
    const untilUs = Math.min(...tracks.map(([, track]) => track.reach(wantedUs, nowUs)));
    if (this.#originUs === null) {
      // Picture and sound go on together or not at all.
      if (untilUs < wantedUs) return;
      this.#originUs = nowUs - this.#positionUs;
      this.#ports.moved(this.#state(nowUs));
    }
    const originUs = this.#originUs;
    const nowMs = nowUs / 1000;
    for (const [feed, track] of tracks) {
      track.play(untilUs, nowUs, ({ keyFrame, ptsUs, data }) => {
        feed.push({ keyFrame, ptsUs: BigInt(Math.round(originUs + ptsUs)), data }, nowMs);
      });
    }
    if (tracks.every(([, track]) => track.hasEnded)) this.#end(this.#ports.ended);
    else if (untilUs < wantedUs) this.#stand(untilUs);
  }

  /** Who waits is told so: relays and phones give up a call in which nothing comes any more. */
  #beSilent(nowUs: number): void {
    if (nowUs < this.#silenceAtUs) return;
    this.#silenceAtUs = Math.max(this.#silenceAtUs + SILENCE_US, nowUs);
    for (const feed of this.#tracks.keys()) {
      const data = silenceOf(feed.spec.rendition);
      if (data !== null) feed.push({ keyFrame: true, ptsUs: BigInt(Math.round(nowUs)), data }, nowUs / 1000);
    }
  }

  /** What was shown in part already comes again. */
  #rewind(nowUs: number): void {
    const segment = segmentAt(this.#positionUs);
    for (const track of this.#tracks.values()) track.go(segment, nowUs);
    this.#positionUs = segment * SEGMENT_US;
  }

  #stand(filmUs: number): void {
    if (this.#originUs === null && filmUs === this.#positionUs) return;
    this.#originUs = null;
    this.#positionUs = filmUs;
    this.#ports.moved({ positionUs: filmUs, isRunning: false });
  }

  #state(nowUs: number): ReelState {
    return { positionUs: this.positionUs(nowUs), isRunning: this.#originUs !== null };
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.close();
    tell();
  }
}
