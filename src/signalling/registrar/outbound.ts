import { type Header, parseUri, type Request } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';
import type { Contact } from './contact.ts';
import { knows } from './extensions.ts';
import { parseRoute } from './path.ts';

/** RFC 5626 §4.4.1: how often a client is to show that its flow lives; NATs remember one that long. */
const FLOW_TIMER_SECONDS = 120;

/** What the `reg-id` of a client's Contacts means (RFC 5626 §6). */
export type Outbound =
  /** It names a flow that is kept, by us or by the client's edge proxy. */
  | 'kept'
  /** The client wants that, but its edge proxy does not know of flows. */
  | 'lacking'
  /** Nothing. */
  | 'none';

export function outboundOf(request: Request, flow: Flow, contacts: readonly Contact[]): Outbound {
  if (!knows(request, 'outbound') || contacts.every(({ regId }) => regId === null)) return 'none';
  // §8: a flow over UDP is kept open with STUN, which our port for SIP does not speak.
  if (isDirect(request)) return flow.reliable ? 'kept' : 'none';
  // Proxies put themselves before those that were there (RFC 3327 §5.2), so the client's own is the last.
  const edge = request.list('path').at(-1);
  return edge !== undefined && parseRoute(edge)?.parameters.has('ob') ? 'kept' : 'lacking';
}

/** RFC 5626 §6: what the answer says to whom a flow is kept for. How long it may be silent, its edge proxy says. */
export function outboundHeaders(request: Request): Header[] {
  const timer: Header[] = isDirect(request) ? [['flow-timer', String(FLOW_TIMER_SECONDS)]] : [];
  return [['require', 'outbound'], ...timer];
}

/** RFC 5626 §6, RFC 7118 §5: nobody but the client can open these flows, and when it does, it registers anew. */
export function needsFlow(regId: number | null, { transport }: Flow): boolean {
  return regId !== null || transport === 'ws' || transport === 'wss';
}

/** The flow by which requests go to a contact; null for one that lies behind a proxy, or is not the client itself. */
export function flowTo(contact: string, regId: number | null, request: Request, flow: Flow): Flow | null {
  if (!isDirect(request)) return null;
  if (needsFlow(regId, flow)) return flow;
  const host = parseUri(contact)?.host;
  return host === request.via!.host || host === flow.remoteAddress ? flow : null;
}

/** Did it come to us through nobody else. */
function isDirect(request: Request): boolean {
  return request.list('via').length === 1 && request.get('path') === null;
}
