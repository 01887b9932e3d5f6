export { Guide, type GuideOptions, type ImportedChannels } from './guide.ts';
export type { Programme } from './programmes.ts';
