import { type Header, headerName, Request, Response } from './message.ts';

/** What one message may be at most; beyond it nothing is kept. */
export const LIMITS = { messageBytes: 65_535, headerBytes: 16_384, headers: 128, uriBytes: 2_048 } as const;

/** Why bytes are no message, with as much of it as is needed to answer. */
export interface ScanError {
  readonly status: 400 | 413 | 414 | 505;
  readonly reason: string;
  /** A request of which Via, From, To, Call-ID and CSeq may be answered; null for anything else. */
  readonly request: Request | null;
}

export type Scan =
  | { readonly ok: true; readonly message: Request | Response }
  | { readonly ok: false; readonly error: ScanError };

const REQUEST_LINE = /^([A-Za-z0-9.!%*_+`'~-]+) (\S+) SIP\/(\d+\.\d+)$/;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/;
const HEADER = /^([A-Za-z0-9.!%*_+`'~-]+)[ \t]*:[ \t]*(.*)$/s;

/** Headers without which there is no transaction (RFC 3261 §8.1.1). */
const MANDATORY = ['via', 'from', 'to', 'call-id', 'cseq'] as const;

/** Headers that may stand only once. */
const SINGLE = new Set(['from', 'to', 'call-id', 'cseq', 'content-length', 'max-forwards', 'content-type']);

/**
 * Reads one whole message: a datagram, a WebSocket message, or what the stream framer cut out. Bytes beyond
 * Content-Length are dropped, fewer are an error (RFC 3261 §18.3).
 */
export function scan(bytes: Buffer): Scan {
  if (bytes.length > LIMITS.messageBytes) return failure(413, 'Message too large', null);
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return failure(400, 'No end of the headers', null);
  if (headEnd > LIMITS.headerBytes) return failure(413, 'Headers too large', null);
  const lines = bytes.toString('utf8', 0, headEnd).split('\r\n');
  const startLine = lines[0]!;
  const { headers, fault } = scanHeaders(lines);
  const body = bytes.subarray(headEnd + 4);
  const status = STATUS_LINE.exec(startLine);
  if (status !== null) {
    const response = new Response(Number(status[1]), status[2]!, headers, body);
    const wrong = fault ?? missing(response);
    return wrong === null ? { ok: true, message: response } : failure(400, wrong, null);
  }
  const match = REQUEST_LINE.exec(startLine);
  if (match === null) {
    // A broken request line still has headers to answer to; the method is in CSeq.
    const method = /^([A-Za-z]+) /.exec(startLine)?.[1] ?? '';
    return failure(400, 'Bad request line', answerable(new Request(method, '', headers)));
  }
  const [, method, uri, version] = match;
  const wanted = contentLength(headers);
  const request = new Request(method!, uri!, headers, wanted === null ? body : body.subarray(0, wanted));
  if (version !== '2.0') return failure(505, 'Version Not Supported', answerable(request));
  if (uri!.length > LIMITS.uriBytes) return failure(414, 'Request-URI Too Long', answerable(request));
  const wrong = fault ?? missing(request) ?? (wanted === null ? null : tooShort(wanted, body)) ?? mismatch(request);
  return wrong === null ? { ok: true, message: request } : failure(400, wrong, answerable(request));
}

function scanHeaders(lines: readonly string[]): { headers: Header[]; fault: string | null } {
  const headers: Header[] = [];
  const seen = new Set<string>();
  let fault: string | null = null;
  for (let at = 1; at < lines.length; at++) {
    let line = lines[at]!;
    // §7.3.1: a line that begins with white space goes on with the one before.
    while (at + 1 < lines.length && /^[ \t]/.test(lines[at + 1]!)) line += ` ${lines[++at]!.trim()}`;
    const match = HEADER.exec(line);
    if (match === null) {
      fault ??= 'Bad header line';
      continue;
    }
    const name = headerName(match[1]!);
    if (SINGLE.has(name) && seen.has(name)) fault ??= `More than one ${name}`;
    seen.add(name);
    if (headers.length === LIMITS.headers) return { headers, fault: 'Too many headers' };
    headers.push([name, match[2]!.trim()]);
  }
  return { headers, fault };
}

function contentLength(headers: readonly Header[]): number | null {
  const text = headers.find(([name]) => name === 'content-length')?.[1];
  return text === undefined || !/^\d{1,9}$/.test(text) ? null : Number(text);
}

function tooShort(wanted: number, body: Buffer): string | null {
  return wanted > body.length ? 'Body shorter than Content-Length' : null;
}

function missing(message: Request | Response): string | null {
  for (const name of MANDATORY) if (message.get(name) === null) return `No ${name}`;
  if (message.via === null) return 'Bad via';
  if (message.from === null) return 'Bad from';
  if (message.to === null) return 'Bad to';
  if (message.cseq === null) return 'Bad cseq';
  const length = message.get('content-length');
  return length !== null && !/^\d{1,9}$/.test(length) ? 'Bad content-length' : null;
}

function mismatch(request: Request): string | null {
  return request.cseq?.method === request.method ? null : 'CSeq has another method';
}

/** The request, when enough of it is there for a response to find its way. */
function answerable(request: Request): Request | null {
  const complete = MANDATORY.every(name => request.get(name) !== null) && request.via !== null;
  return complete && request.method !== 'ACK' ? request : null;
}

function failure(status: ScanError['status'], reason: string, request: Request | null): Scan {
  return { ok: false, error: { status, reason, request } };
}
