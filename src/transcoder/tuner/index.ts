export type { Signal } from './reports.ts';
export { sourceFault, Tuners } from './tuners.ts';
