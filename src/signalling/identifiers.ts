import { randomBytes } from 'node:crypto';
import { formatHost, formatVia } from './message/index.ts';
import { BRANCH_COOKIE } from './transaction/index.ts';
import type { Flow } from './transport/index.ts';

/** The Via of a new transaction of ours. */
export function newVia({ transport, localAddress, localPort }: Flow): string {
  const parameters = new Map([
    ['branch', `${BRANCH_COOKIE}${token()}`],
    ['rport', null],
  ]);
  return formatVia({ transport: transport.toUpperCase(), host: localAddress, port: localPort, parameters });
}

export function hostPort({ localAddress, localPort }: Flow): string {
  return `${formatHost(localAddress)}:${localPort}`;
}

/** A tag or branch: unguessable, so that nobody else can name a dialog (RFC 3261 §19.3 asks for 32 bits). */
export function token(): string {
  return randomBytes(12).toString('hex');
}
