export { Admission, type AdmissionOptions, type Subscriber } from './admission.ts';
export { GUARD_LIMITS, type GuardLimits } from './guard.ts';
export { isLoopback, sourceOf } from './source.ts';
