export { type NextHop, nextHop } from './next-hop.ts';
export { type Resolver, resolveTargets } from './targets.ts';
