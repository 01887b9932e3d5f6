import type { Frame } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import type { PassThrough, SourceInfo } from '../wire.ts';
import type { TrackWishes } from './tracks.ts';

export type Medium = 'video' | 'audio';

/**
 * Who takes what comes of a source, each frame and packet at the moment it is due. Whoever needs a frame longer than the
 * call clones it.
 */
export interface SourceSink {
  /** `ptsUs`: Unix time in microseconds at which the frame is to be presented; audio and video share it. */
  video(frame: Frame, ptsUs: number): void;
  audio(frame: Frame, ptsUs: number): void;
  /** A picture is left out because it could not be decoded in time. */
  late(): void;
  /** Does anybody need frames now; decoding may be left out while nobody does. */
  needsFrames(medium: Medium): boolean;
  /** Packets of this make come from now on, beside the frames; none with null, and before this is called. */
  passes(medium: Medium, make: PassThrough | null): void;
  packet(medium: Medium, packet: EncodedFrame): void;
}

/** Where a channel's media comes from. One file a kind, all with this face. */
export interface Source {
  /** Has it no end, so that it is opened again when it ends. Known once it is open. */
  readonly live: boolean;
  /** Resolves with what there is to see and hear. Rejects with SOURCE_OPEN_FAILED and the fault; callers get to read it, so no path is in it. */
  open(): Promise<SourceInfo>;
  /** Delivers frames and packets in real time; resolves when the source is over or `signal` is aborted. */
  play(sink: SourceSink, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly url: string;
  readonly loop: boolean;
  /** Those that the source itself holds for best when left out. */
  readonly tracks?: TrackWishes;
  /** May packets go to viewers as they come. */
  readonly passThrough: boolean;
  /** Unix time in microseconds, never going back. */
  readonly nowUs: () => number;
  /** There is something new to say of the source while it plays. */
  readonly changed: (info: SourceInfo) => void;
}
