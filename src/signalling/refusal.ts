import { isTooBrief, type SessionTimerLimits } from './dialog/index.ts';
import {
  type Header,
  isRegisteredMethod,
  parseNameAddr,
  parseUri,
  type Request,
  type Response,
  readBody,
  respond,
  uriScheme,
} from './message/index.ts';
import { REGISTRAR_EXTENSIONS } from './registrar/index.ts';

/** Methods that we serve. */
export const ALLOW = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'INFO',
  'MESSAGE',
  'OPTIONS',
  'PRACK',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
];
/** Extensions that we know, by their option tags. */
export const SUPPORTED = ['100rel', 'replaces', 'timer'];
export const SDP_TYPE = 'application/sdp';
/** Methods that may bring an offer. */
const OFFERING: ReadonlySet<string> = new Set(['INVITE', 'PRACK', 'UPDATE']);

/** What is wrong with a request before anybody looks at what it wants (RFC 3261 §8.2.1 to §8.2.3), or null. */
export function refusal(request: Request, toTag: string, sessionTimer: SessionTimerLimits): Response | null {
  const refuse = (status: number, headers: readonly Header[] = [], reason?: string) =>
    respond(request, status, { toTag, headers, reason });
  if (!ALLOW.includes(request.method)) {
    // §21.4.6, §21.5.2: 405 is for a method that is known and not allowed, 501 for one that nobody knows.
    return refuse(isRegisteredMethod(request.method) ? 405 : 501, [['allow', ALLOW.join(', ')]]);
  }
  const scheme = uriScheme(request.uri);
  if (scheme !== null && scheme !== 'sip' && scheme !== 'sips') return refuse(416);
  const uri = parseUri(request.uri);
  // §19.1.1: headers have no place in a Request-URI.
  if (uri === null || uri.headers !== null) return refuse(400, [], 'Bad Request-URI');
  // A dialog would have to go by it.
  const routes = request.list('record-route');
  if (routes.some(route => parseNameAddr(route) === null)) return refuse(400, [], 'Bad Record-Route');
  // RFC 3327, RFC 5626 and RFC 5627 define theirs for REGISTER; of a call they would ask what nobody can give.
  const known: readonly string[] = request.method === 'REGISTER' ? [...SUPPORTED, ...REGISTRAR_EXTENSIONS] : SUPPORTED;
  const unsupported = request.list('require').filter(tag => !known.includes(tag.toLowerCase()));
  if (unsupported.length > 0) return refuse(420, [['unsupported', unsupported.join(', ')]]);
  if (isEncrypted(request)) return refuse(493);
  if (!OFFERING.has(request.method)) return null;
  if (readBody(request) === null) return refuse(415, [['accept', SDP_TYPE]]);
  if (!accepts(request, SDP_TYPE)) return refuse(406);
  if (!isTooBrief(request, sessionTimer)) return null;
  return refuse(422, [['min-se', String(sessionTimer.minimumSeconds)]]);
}

/** When to come back, for those who may. */
export function retryAfter(seconds: number | undefined): Header[] {
  return seconds === undefined ? [] : [['retry-after', String(seconds)]];
}

/** While we are too busy, or go. */
export const BACK_LATER = retryAfter(10);

/** §23.2: in S/MIME, for which we have no key. */
function isEncrypted(request: Request): boolean {
  return /^application\/(?:x-)?pkcs7-mime\s*(?:;|$)/i.test(request.get('content-type') ?? '');
}

/** §20.1: whoever says nothing accepts the usual type; whoever says something accepts only that. */
export function accepts(request: Request, type: string): boolean {
  if (request.get('accept') === null) return true;
  const ranges = request.list('accept').map(range => range.split(';', 1)[0]!.trim().toLowerCase());
  return [type, `${type.split('/', 1)[0]}/*`, '*/*'].some(range => ranges.includes(range));
}
