export { DtlsTransport, type Fingerprint } from './dtls-transport.ts';
