export { Standby, type StandbyOptions } from './standby.ts';
