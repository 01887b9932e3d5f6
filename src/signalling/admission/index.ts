export { Admission, type AdmissionOptions, type Subscriber } from './admission.ts';
