import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { TextDecoder } from 'node:util';
import { createGunzip } from 'node:zlib';
import { DialcastError } from '../errors.ts';

/** What tells one state of a document from another (RFC 9110 §8.8); null where the server does not say it. */
export interface DocumentVersion {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export interface OpenDocument {
  readonly version: DocumentVersion;
  /** The text in pieces, unzipped and decoded. Rejects with GUIDE_UNREADABLE, also in the middle. */
  readonly text: AsyncIterable<string>;
}

export interface DocumentLimits {
  /** As it comes. */
  readonly maxBytes: number;
  /** When it is unzipped. */
  readonly maxUnzippedBytes: number;
}

const MIB = 2 ** 20;

/** Opens a file or an http(s) URL. Null when it is still as it is known. Rejects with GUIDE_UNREADABLE. */
export async function openDocument(
  place: string,
  known: DocumentVersion | null,
  limits: DocumentLimits,
  signal: AbortSignal,
): Promise<OpenDocument | null> {
  try {
    const opened = isOnTheWeb(place) ? await openUrl(place, known, signal) : await openFile(place, known, signal);
    if (opened === null) return null;
    return { version: opened.version, text: decoded(opened.chunks, limits) };
  } catch (error) {
    throw unreadable(error);
  }
}

/** A place as it may be shown: user, password and query, which often has them as well, are left out. */
export function shownPlace(place: string): string {
  if (!isOnTheWeb(place)) return place;
  const { origin, pathname } = new URL(place);
  return origin + pathname;
}

export function isOnTheWeb(place: string): boolean {
  return /^https?:\/\//.test(place);
}

interface Opened {
  readonly version: DocumentVersion;
  readonly chunks: AsyncIterable<Uint8Array>;
}

async function openUrl(place: string, known: DocumentVersion | null, signal: AbortSignal): Promise<Opened | null> {
  const url = new URL(place);
  const headers = new Headers({ 'user-agent': 'Dialcast' });
  if (known?.etag) headers.set('if-none-match', known.etag);
  if (known?.lastModified) headers.set('if-modified-since', known.lastModified);
  if (url.username !== '') {
    const credentials = [url.username, url.password].map(decodeURIComponent).join(':');
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
    url.username = '';
    url.password = '';
  }
  const { status, statusText, headers: answer, body } = await fetch(url, { headers, signal });
  if (status === 304) return null;
  if (status !== 200 || body === null) {
    await body?.cancel();
    throw new DialcastError('GUIDE_UNREADABLE', `the server says ${status} ${statusText}`.trim());
  }
  return { version: { etag: answer.get('etag'), lastModified: answer.get('last-modified') }, chunks: body };
}

async function openFile(path: string, known: DocumentVersion | null, signal: AbortSignal): Promise<Opened | null> {
  const { mtimeMs, size } = await stat(path);
  const version = { etag: `${mtimeMs} ${size}`, lastModified: null };
  if (known?.etag === version.etag) return null;
  return { version, chunks: createReadStream(path, { signal }) };
}

async function* decoded(chunks: AsyncIterable<Uint8Array>, limits: DocumentLimits): AsyncGenerator<string> {
  const whole = limited(chunks, limits.maxBytes, 'it has');
  const bytes = limited(unzipped(whole), limits.maxUnzippedBytes, 'unzipped it has');
  let decoder: TextDecoder | null = null;
  try {
    for await (const chunk of bytes) {
      decoder ??= new TextDecoder(encodingOf(chunk));
      yield decoder.decode(chunk, { stream: true });
      // Who reads is not to keep calls waiting for the length of a whole document.
      await othersTurn();
    }
    if (decoder !== null) yield decoder.decode();
  } catch (error) {
    throw unreadable(error);
  }
}

async function* limited(chunks: AsyncIterable<Uint8Array>, max: number, what: string): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > max) throw new DialcastError('GUIDE_UNREADABLE', `${what} more than ${max / MIB} MiB`);
    yield chunk;
  }
}

/** What it is by its first two bytes (RFC 1952 §2.3.1): servers and file names say this and that. */
async function* unzipped(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = Buffer.alloc(0);
  while (head.length < 2) {
    const { value, done } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const all = joined(head, iterator);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return yield* all;
  const gunzip = createGunzip();
  // What goes wrong comes out of the last stream as well.
  pipeline(Readable.from(all), gunzip, () => undefined);
  yield* gunzip;
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/** What the document says of itself in its XML declaration; UTF-8 otherwise. */
function encodingOf(chunk: Uint8Array): string {
  const begin = Buffer.from(chunk.subarray(0, 200)).toString('latin1');
  return /^<\?xml[^>]*\bencoding=["']([\w.:-]+)["']/.exec(begin)?.[1] ?? 'utf-8';
}

function unreadable(error: unknown): DialcastError {
  if (error instanceof DialcastError) return error;
  const { message, cause } = error as Error;
  // fetch says no more than that it failed; why is in the cause.
  const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
  return new DialcastError('GUIDE_UNREADABLE', why, { cause: error });
}
