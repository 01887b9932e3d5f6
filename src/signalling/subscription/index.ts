export { dialogInfo } from './dialog-info.ts';
export type { EventName } from './event.ts';
export type { ExpiryLimits } from './expiry.ts';
export { type EventPackage, Notifier } from './notifier.ts';
export { presence } from './presence.ts';
export {
  type StateDocument,
  Subscription,
  type SubscriptionOptions,
  type SubscriptionPorts,
  type TerminationReason,
} from './subscription.ts';
