export { LoadWatch } from './load-watch.ts';
export { Renditions, type RenditionsOptions } from './renditions.ts';
