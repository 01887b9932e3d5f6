import { spell } from './header-names.ts';
import { Request, type Response } from './message.ts';

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
  // Not of the pool: one message that is kept to be sent again would hold all that shared its piece of that.
  const headBytes = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafeSlow(headBytes + message.body.length);
  bytes.write(head);
  bytes.set(message.body, headBytes);
  return bytes;
}
