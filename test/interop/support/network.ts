/**
 * The network of the interop tests: one network namespace that `npm test` makes, with loopback and one address that is
 * none (browsers gather no loopback candidates). Nothing that a test does can leave it.
 */

import { networkInterfaces } from 'node:os';

/** The namespace's own address (TEST-NET-2, RFC 5737). */
export const HOST = '198.51.100.1';

/** Of a proxy and of a media relay on machines of their own, where a test has such ones. */
export const PROXY = '198.51.100.3';
export const RELAY = '198.51.100.2';

/** Set when this process runs inside the namespace; else why the tests that need it are skipped. */
export const OUTSIDE: string | false = Object.values(networkInterfaces()).some(infos =>
  infos?.some(({ address }) => address === HOST),
)
  ? false
  : 'needs the network namespace that `npm test` makes as root';
