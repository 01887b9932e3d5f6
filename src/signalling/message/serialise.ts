import { Request, type Response } from './message.ts';

/** Names whose usual spelling is not one capital after each dash. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
  ['min-se', 'Min-SE'],
  ['rack', 'RAck'],
  ['rseq', 'RSeq'],
  ['www-authenticate', 'WWW-Authenticate'],
]);

/** The message as it goes over the wire, with Content-Length. */
export function serialise(message: Request | Response): Buffer {
  let head =
    message instanceof Request
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  for (const [name, value] of message.headers) {
    if (name !== 'content-length') head += `${spell(name)}: ${value}\r\n`;
  }
  head += `Content-Length: ${message.body.length}\r\n\r\n`;
  return message.body.length === 0 ? Buffer.from(head) : Buffer.concat([Buffer.from(head), message.body]);
}

function spell(name: string): string {
  return SPELLINGS.get(name) ?? name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase());
}
