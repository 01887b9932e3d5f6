import type { Request, Response } from '../message/index.ts';

/** RFC 3261 §8.1.1.7: branches of this standard begin so. */
export const BRANCH_COOKIE = 'z9hG4bK';

/**
 * Keys outlive their requests by far. `join` copies the characters; a template or a sum would keep the pieces, and with
 * them the whole messages that these were cut out of.
 */

/** An ACK to a refusal and a CANCEL are matched with the INVITE that they concern (RFC 3261 §17.2.3, §9.2). */
export function serverKey(request: Request, method = request.method === 'ACK' ? 'INVITE' : request.method): string {
  const via = request.via!;
  const branch = via.parameters.get('branch') ?? '';
  if (branch.startsWith(BRANCH_COOKIE) && branch.length > BRANCH_COOKIE.length) {
    return [branch.toLowerCase(), via.host, via.port ?? 5060, method].join(' ');
  }
  // RFC 2543 has no unique branch: the request itself is its name. The To tag of an ACK may be ours where the INVITE
  // had none, so it tells nothing of either.
  const toTag = method === 'INVITE' ? '' : (request.toTag ?? '');
  const parts = [request.uri, toTag, request.fromTag, request.callId, request.cseq?.number, via.host, via.port, method];
  return JSON.stringify(parts);
}

/** RFC 3261 §17.1.3. */
export function clientKey(message: Request | Response): string {
  return `${message.via?.parameters.get('branch') ?? ''} ${message.cseq?.method}`;
}

/** Requests that came by two ways (RFC 3261 §8.2.2.2) share this and nothing else. */
export function mergeKey(request: Request): string {
  return [request.callId, request.fromTag, request.get('cseq')].join(' ');
}
