import { hostPort } from './identifiers.ts';
import type { Flow } from './transport/index.ts';

/**
 * Our Contact on a flow: where the peer reaches us, with the user part that it called. `secure` for a dialog that began
 * with a SIPS URI (RFC 3261 §12.1.1); there is no secure way to us but TLS.
 */
export function contactOf(flow: Flow, user: string, secure: boolean): string {
  const { transport } = flow;
  const scheme = secure && (transport === 'tls' || transport === 'wss') ? 'sips' : 'sip';
  const userInfo = user === '' ? '' : `${encodeURIComponent(user)}@`;
  return `<${scheme}:${userInfo}${hostPort(flow)};transport=${parameterOf(scheme, transport)}>`;
}

/**
 * RFC 7118 §5.2.2: URIs have one name for WebSocket, with TLS and without. RFC 5630 §3.1.4: in a SIPS URI the transport is
 * what TLS runs on.
 */
function parameterOf(scheme: 'sip' | 'sips', transport: Flow['transport']): string {
  if (transport === 'wss') return 'ws';
  return scheme === 'sips' ? 'tcp' : transport;
}
