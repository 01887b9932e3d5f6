import { type Header, NO_BODY, type Request, Response } from './message.ts';
import { formatParameters } from './parameters.ts';

/** Reason phrases of RFC 3261 §21 and of the RFCs that added codes. */
const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  422: 'Session Interval Too Small',
  423: 'Interval Too Brief',
  439: 'First Hop Lacks Outbound Support',
  469: 'Bad Info Package',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  493: 'Undecipherable',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
};

export interface ResponseParts {
  readonly reason?: string | undefined;
  /** Added to To when the request has none. */
  readonly toTag?: string | undefined;
  readonly headers?: readonly Header[] | undefined;
  readonly body?: Buffer | undefined;
}

/** What every response repeats from its request (RFC 3261 §8.2.6.2), in this order. */
const REPEATED = ['from', 'to', 'call-id', 'cseq'] as const;

/**
 * A response with what every response repeats from its request; a request that is refused for the lack of some of that
 * is answered without it.
 */
export function respond(request: Request, status: number, parts: ResponseParts = {}): Response {
  const tagged = request.toTag !== null || parts.toTag === undefined || status === 100;
  const tag = tagged ? '' : formatParameters(new Map([['tag', parts.toTag!]]));
  const repeated: Header[] = request.headers.filter(([name]) => name === 'via');
  for (const name of REPEATED) {
    const value = request.get(name);
    if (value !== null) repeated.push([name, name === 'to' ? value + tag : value]);
  }
  if (status === 100) repeated.push(...request.headers.filter(([name]) => name === 'timestamp'));
  const reason = sanitise(parts.reason ?? REASONS[status] ?? 'Unknown');
  return new Response(status, reason, [...repeated, ...(parts.headers ?? [])], parts.body ?? NO_BODY);
}

/** A reason phrase is one line (§25.1), whatever fault of a source it names. */
function sanitise(reason: string): string {
  return reason.replace(/[\r\n\0]+/g, ' ');
}
