import type { TrackWishes } from './source/index.ts';
import type { HardwareKind, SourceInfo } from './wire.ts';

/** What a transcoder process is told on its standard input, as one line of JSON. */
export interface TranscoderTask {
  readonly channel: string;
  readonly title: string;
  readonly source: string;
  readonly loop: boolean;
  readonly tracks: TrackWishes;
  /** May the source's packets go to viewers as they come. */
  readonly passThrough: boolean;
  /** What to encode H.264 with; null for software. */
  readonly hardware: HardwareKind | null;
  /** What a process that died had found: a live source that can't be opened now is out, and not refused. */
  readonly info: SourceInfo | null;
  readonly socketPath: string;
  readonly token: string;
}
