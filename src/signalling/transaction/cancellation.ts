import { type Header, Request } from '../message/index.ts';

/** The CANCEL of an INVITE of ours that went out as it stands here (RFC 3261 §9.1). */
export function cancellation(invite: Request, headers: readonly Header[]): Request {
  const own: Header[] = [
    ['via', invite.list('via')[0]!],
    ['max-forwards', '70'],
    ...invite.headers.filter(([name]) => name === 'route'),
    ['from', invite.get('from')!],
    ['to', invite.get('to')!],
    ['call-id', invite.callId],
    ['cseq', `${invite.cseq!.number} CANCEL`],
  ];
  return new Request('CANCEL', invite.uri, [...own, ...headers]);
}
