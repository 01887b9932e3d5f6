export type { FilmInfo } from '../source/index.ts';
export {
  type PreparationHandle,
  type PreparationOptions,
  type PreparationStart,
  startPreparation,
} from './preparation.ts';
export { lookAt, type RenditionStock, SEGMENT_US, writeWhole } from './rendition-folder.ts';
export type { PreparationMessage, PreparationTask } from './task.ts';
