export { Renditions } from './renditions.ts';
export type { EncodedFrame } from './video-encoder.ts';
