import type { SipUri } from '../message/index.ts';
import type { OutgoingTransport } from '../transport/index.ts';

/** What a request is to be sent to, before DNS is asked (RFC 3263 §4: the TARGET with what the URI says of it). */
export interface NextHop {
  readonly host: string;
  /** Null where the URI leaves it to DNS. */
  readonly port: number | null;
  /** Null where the URI leaves it to DNS. */
  readonly transport: OutgoingTransport | null;
  /** Is TLS the only way: a SIPS URI. */
  readonly secure: boolean;
}

const TRANSPORTS: ReadonlyMap<
  string,
  { readonly plain: OutgoingTransport; readonly secure: OutgoingTransport | null }
> = new Map([
  ['udp', { plain: 'udp', secure: null }],
  // RFC 3261 §26.2.2: a SIPS URI says tcp of what runs below TLS.
  ['tcp', { plain: 'tcp', secure: 'tls' }],
  ['tls', { plain: 'tls', secure: 'tls' }],
]);

/** Where a URI leads; null when it asks for a transport on which nobody can be called. */
export function nextHop({ scheme, host, port, parameters }: SipUri): NextHop | null {
  const secure = scheme === 'sips';
  // RFC 3263 §4: maddr overrides the host.
  const hop = { host: parameters.get('maddr') || host, port, secure };
  const name = parameters.get('transport')?.toLowerCase();
  if (name === undefined) return { ...hop, transport: null };
  const transport = TRANSPORTS.get(name)?.[secure ? 'secure' : 'plain'] ?? null;
  return transport === null ? null : { ...hop, transport };
}
