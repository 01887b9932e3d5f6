export {
  type PlatformAccount,
  Registration,
  type RegistrationPorts,
  type RegistrationStatus,
} from './registration.ts';
