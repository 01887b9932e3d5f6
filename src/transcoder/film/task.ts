import type { FilmInfo, TrackWishes } from '../source/index.ts';
import type { RenditionSpec } from '../wire.ts';

/** What a process is to do with a film: make a rendition of it in a folder, or with null look at it. */
export interface PreparationTask {
  readonly path: string;
  readonly tracks: TrackWishes;
  readonly make: { readonly folder: string; readonly rendition: RenditionSpec } | null;
}

export type PreparationMessage =
  | ({ readonly type: 'film' } & FilmInfo)
  /** So many are whole; the newest has so many bytes. */
  | { readonly type: 'segments'; readonly segments: number; readonly bytes: number }
  | { readonly type: 'whole'; readonly segments: number }
  | { readonly type: 'failed'; readonly reason: string };
