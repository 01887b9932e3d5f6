import { isTooBrief, type SessionTimerLimits } from './dialog/index.ts';
import {
  type Header,
  parseNameAddr,
  parseUri,
  type Request,
  type Response,
  respond,
  uriScheme,
} from './message/index.ts';

/** Methods that we serve. */
export const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER', 'UPDATE'];
/** Extensions that we know, by their option tags. */
export const SUPPORTED = ['timer'];
export const SDP_TYPE = 'application/sdp';
/** Methods that may bring an offer, and refresh a session. */
const OFFERING: ReadonlySet<string> = new Set(['INVITE', 'UPDATE']);

/** What is wrong with a request before anybody looks at what it wants (RFC 3261 §8.2.1 to §8.2.3), or null. */
export function refusal(request: Request, toTag: string, sessionTimer: SessionTimerLimits): Response | null {
  const refuse = (status: number, headers: readonly Header[] = [], reason?: string) =>
    respond(request, status, { toTag, headers, reason });
  if (!ALLOW.includes(request.method)) return refuse(405, [['allow', ALLOW.join(', ')]]);
  const scheme = uriScheme(request.uri);
  if (scheme !== 'sip' && scheme !== 'sips') return refuse(416);
  if (parseUri(request.uri) === null) return refuse(400, [], 'Bad Request-URI');
  // A dialog would have to go by it.
  const routes = request.list('record-route');
  if (routes.some(route => parseNameAddr(route) === null)) return refuse(400, [], 'Bad Record-Route');
  const unsupported = request.list('require').filter(tag => !SUPPORTED.includes(tag.toLowerCase()));
  if (unsupported.length > 0) return refuse(420, [['unsupported', unsupported.join(', ')]]);
  if (!OFFERING.has(request.method)) return null;
  if (!hasReadableBody(request)) return refuse(415, [['accept', SDP_TYPE]]);
  if (!isTooBrief(request, sessionTimer)) return null;
  return refuse(422, [['min-se', String(sessionTimer.minimumSeconds)]]);
}

function hasReadableBody(request: Request): boolean {
  const type = request.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  const encoding = request.get('content-encoding')?.toLowerCase() ?? 'identity';
  return request.body.length === 0 || (type === SDP_TYPE && encoding === 'identity');
}
