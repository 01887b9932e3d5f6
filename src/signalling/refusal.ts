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
export const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER'];
export const SDP_TYPE = 'application/sdp';

/** What is wrong with a request before anybody looks at what it wants (RFC 3261 §8.2.1 to §8.2.3), or null. */
export function refusal(request: Request, toTag: string): Response | null {
  const refuse = (status: number, headers: readonly Header[] = [], reason?: string) =>
    respond(request, status, { toTag, headers, reason });
  if (!ALLOW.includes(request.method)) return refuse(405, [['allow', ALLOW.join(', ')]]);
  const scheme = uriScheme(request.uri);
  if (scheme !== 'sip' && scheme !== 'sips') return refuse(416);
  if (parseUri(request.uri) === null) return refuse(400, [], 'Bad Request-URI');
  // A dialog would have to go by it.
  const routes = request.list('record-route');
  if (routes.some(route => parseNameAddr(route) === null)) return refuse(400, [], 'Bad Record-Route');
  const required = request.list('require');
  if (required.length > 0) return refuse(420, [['unsupported', required.join(', ')]]);
  return request.method === 'INVITE' && !hasReadableBody(request) ? refuse(415, [['accept', SDP_TYPE]]) : null;
}

function hasReadableBody(request: Request): boolean {
  const type = request.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  const encoding = request.get('content-encoding')?.toLowerCase() ?? 'identity';
  return request.body.length === 0 || (type === SDP_TYPE && encoding === 'identity');
}
