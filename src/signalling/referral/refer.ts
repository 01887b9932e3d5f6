import { parseNameAddr, parseUri, type Request, uriScheme } from '../message/index.ts';

/** What a REFER asks for. */
export interface Refer {
  /** Whom to call: a SIP URI without headers. */
  readonly to: string;
  /** Value of the Replaces that the INVITE is to have (RFC 3891). */
  readonly replaces: string | null;
  /** Who asks, as he says (RFC 3892); what he would prove it with is not handed on. */
  readonly referredBy: string | null;
  /** Does he want to hear what becomes of it (RFC 4488). */
  readonly wantsReports: boolean;
}

export interface BadRefer {
  readonly status: 400 | 416;
  readonly reason: string;
}

/** Reads a REFER (RFC 3515 §2.4.2). */
export function readRefer(request: Request): Refer | BadRefer {
  const [value, ...more] = request.list('refer-to');
  const target = value === undefined || more.length > 0 ? null : parseNameAddr(value);
  if (target === null) return { status: 400, reason: 'One Refer-To is needed' };
  const scheme = uriScheme(target.uri);
  if (scheme !== null && scheme !== 'sip' && scheme !== 'sips')
    return { status: 416, reason: 'Refer-To is no SIP URI' };
  const uri = parseUri(target.uri);
  if (uri === null || uri.user === '') return { status: 400, reason: 'Bad Refer-To' };
  // RFC 3261 §19.1.1: another method than INVITE is no call.
  if ((uri.parameters.get('method') ?? 'INVITE').toUpperCase() !== 'INVITE')
    return { status: 400, reason: 'Not a call' };
  const replaces = header(uri.headers, 'replaces');
  if (replaces === undefined) return { status: 400, reason: 'Bad Replaces' };
  const referrer = request.get('referred-by');
  const referredBy = referrer === null ? null : parseNameAddr(referrer);
  return {
    to: target.uri.split('?', 1)[0]!,
    replaces,
    referredBy: referredBy === null ? null : `<${referredBy.uri}>`,
    wantsReports: request.get('refer-sub')?.trim().toLowerCase() !== 'false',
  };
}

/**
 * The one header of a URI with this name, unescaped; null when there is none, undefined when it can't stand in a message.
 * The others are none that a stranger may put into a request of ours (§19.1.5).
 */
function header(headers: string | null, name: string): string | null | undefined {
  const pair = (headers ?? '').split('&').find(each => each.split('=', 1)[0]!.toLowerCase() === name);
  if (pair === undefined) return null;
  try {
    const value = decodeURIComponent(pair.slice(name.length + 1));
    // RFC 3891 §6.1: a Call-ID and both tags, each of which is a token or a word.
    const hasTags = /;\s*to-tag=/i.test(value) && /;\s*from-tag=/i.test(value);
    return hasTags && /^[\x21-\x7e ]{1,512}$/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
