export type { Call, CallOutcome } from './call.ts';
export { Calls, type CallsOptions } from './calls.ts';
