import type { SipTransport } from '../types.ts';

/** One way to one peer: a connection, or the pair of addresses that a datagram travelled between (RFC 5626 §2). */
export interface Flow {
  readonly transport: SipTransport;
  /** TCP and everything on it: no retransmission is needed. */
  readonly reliable: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Where the peer reaches us. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly closed: boolean;
  /** False when the message could not be handed to the network. */
  send(bytes: Buffer): boolean;
  close(): void;
  /** UDP alone: the way to another port of the same peer. */
  toPort?(remotePort: number): Flow;
  /** A connection that we opened alone: from now on it is kept open, and closes when the peer is gone (RFC 5626 §3.5.1). */
  keepAlive?(): void;
}

export interface FlowHandlers {
  /** A whole message, not yet read. */
  receive(flow: Flow, bytes: Buffer): void;
  closed(flow: Flow): void;
  /** A message was handed to the network. */
  sent(flow: Flow, bytes: Buffer): void;
}
