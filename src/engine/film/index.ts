export { Reels, type ReelsOptions } from './reels.ts';
export type { ReadSegment, Segment } from './segment-shelf.ts';
