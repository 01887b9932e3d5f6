import type { Header, Request, Response } from './message.ts';
import { type Parameters, parseParameters } from './parameters.ts';
import { scanHeaders } from './scanner.ts';

const SDP_TYPE = 'application/sdp';
/** A part that says nothing of itself (RFC 2046 §5.1). */
const DEFAULT_PART_TYPE = 'text/plain';
/** Deeper and wider than anybody writes them, and no work to look through. */
const MOST_DEPTH = 3;
const MOST_PARTS = 16;
/** RFC 2046 §5.1.1. */
const MOST_BOUNDARY = 70;

/** A body, or a part of one, with the headers that tell what it is. */
interface Part {
  readonly headers: readonly Header[];
  readonly bytes: Buffer;
}

interface Valued {
  /** In lower case. */
  readonly value: string;
  readonly parameters: Parameters;
}

/** What a body asks of whoever reads it; null for one that must be understood and is not (415). */
export type ReadBody = { readonly sdp: string | null } | null;

/**
 * Finds the session description of a message: its body, or the part of a multipart body that is one (RFC 5621). Other
 * parts are passed over when they say that they may be.
 */
export function readBody({ headers, body }: Request | Response): ReadBody {
  if (body.length === 0) return { sdp: null };
  return readPart({ headers, bytes: body }, '', 0);
}

function readPart(part: Part, defaultType: string, depth: number): ReadBody {
  const type = valued(part, 'content-type') ?? { value: defaultType, parameters: new Map() };
  const disposition = valued(part, 'content-disposition');
  const isPlain = (valued(part, 'content-encoding')?.value ?? 'identity') === 'identity';
  const isSession = (disposition?.value ?? 'session') === 'session';
  if (type.value === SDP_TYPE && isPlain && isSession) return { sdp: part.bytes.toString('utf8') };
  if (type.value.startsWith('multipart/') && isPlain && depth < MOST_DEPTH) {
    const parts = splitParts(part.bytes, type.parameters.get('boundary') ?? '');
    const read = parts?.map(each => readPart(each, DEFAULT_PART_TYPE, depth + 1)) ?? null;
    const found = read === null ? null : type.value === 'multipart/alternative' ? lastReadable(read) : together(read);
    if (found !== null) return found;
  }
  // RFC 3261 §20.11: what does not say that it is optional is required.
  return disposition?.parameters.get('handling')?.toLowerCase() === 'optional' ? { sdp: null } : null;
}

/** RFC 2046 §5.1.4: the last alternative that is understood is the best. */
function lastReadable(parts: readonly ReadBody[]): ReadBody {
  return parts.findLast(part => part !== null) ?? null;
}

/** RFC 2046 §5.1.3, and §5.1.7 for every subtype that is not known. */
function together(parts: readonly ReadBody[]): ReadBody {
  if (parts.includes(null)) return null;
  const sessions = parts.filter(part => part!.sdp !== null);
  // RFC 5621 §8.2: two of them could only be alternatives.
  return sessions.length > 1 ? null : { sdp: sessions[0]?.sdp ?? null };
}

/**
 * The parts between the delimiter lines; null when the body does not keep to RFC 2046 §5.1.1.
 *
 *     preamble CRLF
 *     --boundary CRLF  [headers CRLF] CRLF  content  CRLF
 *     --boundary CRLF  …
 *     --boundary--     epilogue
 */
function splitParts(bytes: Buffer, boundary: string): readonly Part[] | null {
  if (boundary === '' || boundary.length > MOST_BOUNDARY) return null;
  // The first delimiter may stand at the very beginning.
  const text = Buffer.concat([Buffer.from('\r\n'), bytes]);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: Part[] = [];
  let begin: number | null = null;
  for (let at = text.indexOf(delimiter); at >= 0; at = text.indexOf(delimiter, at + 2)) {
    const after = at + delimiter.length;
    const isLast = text.toString('latin1', after, after + 2) === '--';
    const line = isLast ? after : endOfDelimiter(text, after);
    // A longer boundary begins with this one.
    if (line === null) continue;
    if (begin !== null) parts.push(partOf(text.subarray(begin, at)));
    if (isLast) return parts.length === 0 ? null : parts;
    if (parts.length === MOST_PARTS) return null;
    begin = line;
  }
  return null;
}

/** Where the line of a delimiter ends, white space being allowed there; before its CRLF. */
function endOfDelimiter(text: Buffer, from: number): number | null {
  let at = from;
  while (text[at] === 0x20 || text[at] === 0x09) at++;
  return text[at] === 0x0d && text[at + 1] === 0x0a ? at : null;
}

/** `text` begins with the CRLF of the delimiter, so a part without headers begins with two. */
function partOf(text: Buffer): Part {
  const found = text.indexOf('\r\n\r\n');
  // The CRLF that ends the headers of an empty part belongs to the next delimiter.
  const headEnd = found < 0 ? text.length : found;
  const { headers } = scanHeaders(text.toString('utf8', 0, headEnd).trimEnd().split('\r\n'));
  return { headers, bytes: text.subarray(headEnd + 4) };
}

function valued({ headers }: Part, name: string): Valued | null {
  const text = headers.find(([header]) => header === name)?.[1];
  if (text === undefined) return null;
  const [value, ...parameters] = text.split(';');
  return { value: value!.trim().toLowerCase(), parameters: parseParameters(parameters.join(';')) };
}
