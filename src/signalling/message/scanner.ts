import { headerFault } from './faults.ts';
import { headerName } from './header-names.ts';
import { type Header, Request, Response } from './message.ts';

/** What one message may be at most; beyond it nothing is kept. */
export const LIMITS = { messageBytes: 65_535, headerBytes: 16_384, headers: 128, uriBytes: 2_048 } as const;

/** Why bytes are no message, with as much of it as is needed to answer. */
export interface ScanError {
  readonly status: 400 | 413 | 414 | 505;
  readonly reason: string;
  /** A request that may be answered, since it has a Via to go back by; null for anything else. */
  readonly request: Request | null;
}

export type Scan =
  | { readonly ok: true; readonly message: Request | Response }
  | { readonly ok: false; readonly error: ScanError };

/** The version is the one part that does not mind its case (RFC 3261 §7.1). */
const REQUEST_LINE = /^([A-Za-z0-9.!%*_+`'~-]+) (\S+) SIP\/(\d+\.\d+)$/i;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i;
/** In a value either would start a header of its own in whatever repeats it. */
const LONE_CR_OR_LF = /[\r\n]/;

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
  const rest = bytes.subarray(headEnd + 4);
  const wanted = contentLength(headers) ?? rest.length;
  const body = rest.subarray(0, wanted);
  const tooShort = wanted > rest.length ? 'Body shorter than Content-Length' : null;
  // Whatever is wrong with a response, it is not answered.
  if (/^SIP\//i.test(startLine)) {
    const [, status, reason] = STATUS_LINE.exec(startLine) ?? [];
    if (status === undefined) return failure(400, 'Bad status line', null);
    const response = new Response(Number(status), reason ?? '', headers, body);
    const wrong = fault ?? headerFault(response) ?? tooShort;
    return wrong === null ? { ok: true, message: response } : failure(400, wrong, null);
  }
  const match = REQUEST_LINE.exec(startLine);
  if (match === null) {
    const method = /^(\S+) /.exec(startLine)?.[1] ?? '';
    return failure(400, 'Bad request line', answerable(new Request(method, '', headers)));
  }
  const [, method, uri, version] = match;
  const request = new Request(method!, uri!, headers, body);
  if (version !== '2.0') return failure(505, 'Version Not Supported', answerable(request));
  if (uri!.length > LIMITS.uriBytes) return failure(414, 'Request-URI Too Long', answerable(request));
  const wrong = fault ?? headerFault(request) ?? tooShort;
  return wrong === null ? { ok: true, message: request } : failure(400, wrong, answerable(request));
}

/** Reads the lines after the first; those that are no headers are left out, and the first fault is told. */
export function scanHeaders(lines: readonly string[]): { headers: Header[]; fault: string | null } {
  const headers: Header[] = [];
  let fault: string | null = null;
  for (let at = 1; at < lines.length; at++) {
    let line = lines[at]!;
    // §7.3.1: a line that begins with white space goes on with the one before.
    while (at + 1 < lines.length && isBlank(lines[at + 1]!.charCodeAt(0))) line += ` ${lines[++at]!.trim()}`;
    const colon = line.indexOf(':');
    const name = colon < 0 ? null : headerName(line.slice(0, colon));
    if (name === null || LONE_CR_OR_LF.test(line)) {
      fault ??= 'Bad header line';
      continue;
    }
    if (SINGLE.has(name) && headers.some(header => header[0] === name)) fault ??= `More than one ${name}`;
    if (headers.length === LIMITS.headers) return { headers, fault: 'Too many headers' };
    headers.push([name, withoutBlanks(line.slice(colon + 1))]);
  }
  return { headers, fault };
}

/** White space in SIP is space and tab (§25.1); `trim` would take characters of the value as well. */
function withoutBlanks(text: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(begin, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function contentLength(headers: readonly Header[]): number | null {
  const text = headers.find(([name]) => name === 'content-length')?.[1];
  return text === undefined || !/^\d{1,9}$/.test(text) ? null : Number(text);
}

/** The request, when a response can find its way back. An ACK is never answered (§17.1.1.3). */
function answerable(request: Request): Request | null {
  return request.via !== null && request.method !== 'ACK' && request.cseq?.method !== 'ACK' ? request : null;
}

function failure(status: ScanError['status'], reason: string, request: Request | null): Scan {
  return { ok: false, error: { status, reason, request } };
}
