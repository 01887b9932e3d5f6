export { Referrals } from './referrals.ts';
