export { cancellation } from './cancellation.ts';
export { BRANCH_COOKIE, clientKey, mergeKey, serverKey } from './matching.ts';
export { T1_MS, T2_MS, T4_MS } from './timers.ts';
export { ClientTransaction, ServerTransaction, type TransactionUser } from './transaction.ts';
