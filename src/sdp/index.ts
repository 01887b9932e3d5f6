export { buildAnswer, type SessionIdentity } from './answer.ts';
export { negotiate } from './negotiate.ts';
export type * from './types.ts';
