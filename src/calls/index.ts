export { Call, type CallOutcome } from './call.ts';
export { Calls, type CallsOptions } from './calls.ts';
