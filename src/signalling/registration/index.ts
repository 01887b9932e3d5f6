export {
  type PlatformAccount,
  Registration,
  type RegistrationPorts,
  type RegistrationStatus,
} from './registration.ts';
export { type Resolver, resolveTargets, type Target } from './targets.ts';
