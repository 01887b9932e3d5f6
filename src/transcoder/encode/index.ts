export { Renditions } from './renditions.ts';
