export { Guide, type GuideOptions, type ImportedChannels } from './guide.ts';
export { ProgrammeWatch } from './programme-watch.ts';
export type { Programme } from './programmes.ts';
