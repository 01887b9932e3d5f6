import { parsedUri, parseUri, type Request, type Response, respond } from './message/index.ts';
import { retryAfter } from './refusal.ts';
import type { SignallingHandlers, TextMessage } from './types.ts';

/** What a text may be written in. */
export const TEXT_TYPE = 'text/plain';

/** Answers a MESSAGE (RFC 3428 §7), whether in a dialog or out of any, with what its reader says of it. */
export function answerText(request: Request, toTag: string, handlers: SignallingHandlers): Response {
  const text = readText(request);
  if (text === null) return respond(request, 415, { toTag, headers: [['accept', TEXT_TYPE]] });
  const rejection = handlers.message?.(text) ?? null;
  if (rejection === null) return respond(request, 200, { toTag });
  const { status, reason, retryAfterSeconds } = rejection;
  return respond(request, status, { toTag, reason, headers: retryAfter(retryAfterSeconds) });
}

function readText(request: Request): TextMessage | null {
  const type = request.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? TEXT_TYPE;
  const encoding = request.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (type !== TEXT_TYPE || encoding !== 'identity') return null;
  const from = request.from!;
  return {
    target: parseUri(request.uri)?.user ?? '',
    from: { uri: from.uri, user: parsedUri(from)?.user ?? '', displayName: from.displayName },
    text: request.body.toString('utf8'),
  };
}
