/** Transports over which we go to others; a browser's WebSocket leads one way alone (RFC 7118). */
export type OutgoingTransport = 'udp' | 'tcp' | 'tls';

/** Where a request can be sent. */
export interface Target {
  readonly transport: OutgoingTransport;
  readonly address: string;
  readonly port: number;
  /** Who must prove itself over TLS: the name that was asked for, not what DNS made of it (RFC 5922 §7.3). */
  readonly serverName: string;
}
