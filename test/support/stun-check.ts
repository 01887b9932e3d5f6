import { ATTRIBUTE } from '../../src/engine/ice/attributes.ts';
import { buildStun, type StunAttribute } from '../../src/engine/ice/build.ts';

export interface CheckOptions {
  /** The agent that is checked, then the one that checks. */
  readonly username: string;
  readonly password: string;
  readonly nominate?: boolean;
}

/** A connectivity check as a browser sends it (RFC 8445 §7.2). */
export function connectivityCheck({ username, password, nominate = false }: CheckOptions): Buffer {
  const attributes: StunAttribute[] = [
    { type: ATTRIBUTE.username, value: Buffer.from(username) },
    { type: ATTRIBUTE.priority, value: Buffer.alloc(4, 1) },
    { type: ATTRIBUTE.iceControlling, value: Buffer.alloc(8, 2) },
  ];
  if (nominate) attributes.push({ type: ATTRIBUTE.useCandidate, value: Buffer.alloc(0) });
  return buildStun({ class: 'request', transactionId: Buffer.alloc(12, 3), attributes, password });
}
