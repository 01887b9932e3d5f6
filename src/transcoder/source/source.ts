import type { Frame } from 'node-av/lib';
import type { SourceInfo } from '../wire.ts';

/** Who takes a source's frames, each at the moment it is due. Whoever needs a frame longer than the call clones it. */
export interface SourceSink {
  /** `ptsUs`: Unix time in microseconds at which the frame is to be presented; audio and video share it. */
  video(frame: Frame, ptsUs: number): void;
  audio(frame: Frame, ptsUs: number): void;
}

/** Where a channel's media comes from. One file a kind, all with this face. */
export interface Source {
  /** Has it no end, so that it is opened again when it ends. Known once it is open. */
  readonly live: boolean;
  /** Resolves with what there is to see and hear. Rejects with SOURCE_OPEN_FAILED and the fault; callers get to read it, so no path is in it. */
  open(): Promise<SourceInfo>;
  /** Delivers frames in real time; resolves when the source is over or `signal` is aborted. */
  play(sink: SourceSink, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly url: string;
  readonly loop: boolean;
  /** Unix time in microseconds, never going back. */
  readonly nowUs: () => number;
}
