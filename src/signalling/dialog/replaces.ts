import { parseParameters, type Request } from '../message/index.ts';
import type { Rejection } from '../types.ts';
import type { Dialogs } from './dialogs.ts';
import { ServerSession } from './server-session.ts';
import { Session } from './session.ts';

/**
 * Which call an INVITE wants to take the place of (RFC 3891 §3), null for none; or why it may not.
 *
 * A subscriber's call is taken over by that subscriber alone. A guest, or somebody whom we called, has proved no name;
 * his call goes to whoever knows its Call-ID and both tags. Only he and the proxies on the way were ever told them, and
 * whoever knows them could as well end the call with a BYE.
 */
export function replacedBy(
  invite: Request,
  subscriber: string | null,
  dialogs: Dialogs,
): { readonly replaced: ServerSession | Session | null } | Rejection {
  const values = invite.headers.filter(([name]) => name === 'replaces').map(([, value]) => value);
  const [value] = values;
  if (value === undefined) return { replaced: null };
  // No part of one has a comma.
  if (values.length > 1 || value.includes(',')) return { status: 400, reason: 'One call can be replaced' };
  const [callId = '', ...rest] = value.split(';');
  const parameters = parseParameters(rest.join(';'));
  const [toTag, fromTag] = [parameters.get('to-tag') ?? '', parameters.get('from-tag') ?? ''];
  if (callId === '' || toTag === '' || fromTag === '') return { status: 400, reason: 'Bad Replaces' };
  // A peer of RFC 2543 has no tag, and is written with one of zero.
  const usage =
    dialogs.get(callId.trim(), toTag, fromTag) ?? (fromTag === '0' ? dialogs.get(callId.trim(), toTag, null) : null);
  // Of those that ring, only one of ours could be taken over, and nobody knows of that one yet.
  if (!(usage instanceof ServerSession || usage instanceof Session) || !usage.isAnswered) return { status: 481 };
  const owner = usage instanceof ServerSession ? usage.subscriber : null;
  if (owner !== null && owner !== subscriber) return { status: 403, reason: 'Not your call' };
  if (parameters.has('early-only')) return { status: 486 };
  return { replaced: usage };
}
