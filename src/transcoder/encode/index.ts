export { AUDIO_FORMATS, AUDIO_FRAME_MS, AudioEncoder } from './audio-encoder.ts';
export { LoadWatch } from './load-watch.ts';
export { PictureFilter } from './pictures.ts';
export { Renditions, type RenditionsOptions } from './renditions.ts';
export { SoundFilter } from './sound.ts';
export { VideoEncoder } from './video-encoder.ts';
