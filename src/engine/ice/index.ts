export { type CheckResult, IceLite, type IceLiteOptions, stunUsername } from './ice-lite.ts';
