export { Confinement } from './confinement.ts';
export {
  type FilmInfo,
  lookAt,
  type PreparationHandle,
  type PreparationMessage,
  type PreparationOptions,
  type PreparationStart,
  type PreparationTask,
  type RenditionStock,
  SEGMENT_US,
  startPreparation,
  writeWhole,
} from './film/index.ts';
export { findHardware, type HardwareReport } from './hardware.ts';
export { SOURCE_KINDS, type TrackWishes } from './source/index.ts';
export { PROCESS, type SupervisorOptions, type TranscoderChannel, TranscoderSupervisor } from './supervisor.ts';
export { type Signal, sourceFault, Tuners } from './tuner/index.ts';
export type {
  AudioRendition,
  Effort,
  Encoding,
  H264Profile,
  HardwareKind,
  PassThrough,
  RenditionSpec,
  SkippedItem,
  SourceInfo,
  Verdict,
  VideoRendition,
} from './wire.ts';
export { EFFORTS, HARDWARE_KINDS } from './wire.ts';

/** See {@link file://./demo-clip.ts}; FFmpeg is loaded only when a clip is made. */
export async function makeDemoClip(path: string): Promise<void> {
  const { makeDemoClip: make } = await import('./demo-clip.ts');
  await make(path);
}
