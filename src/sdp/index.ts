export { buildAnswer, type SessionIdentity } from './answer.ts';
export { h264ProfileOf } from './h264.ts';
export { negotiate } from './negotiate.ts';
export { buildOffer, propose, proposeAgain, readAnswer } from './offer.ts';
export type * from './types.ts';
