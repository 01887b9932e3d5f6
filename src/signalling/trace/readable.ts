/** A request's start line, or the CSeq of a request or its response. */
const TEXT_METHOD = /^MESSAGE |\r\nCSeq[ \t]*:[ \t]*\d{1,10}[ \t]+MESSAGE[ \t]*(?:\r\n|$)/i;

/**
 * A message for people, of its beginning in `bytes` and its whole size: without credentials, and without the body of a
 * MESSAGE (RFC 3428), which is a private letter. What stands in the place of either says so in brackets.
 */
export function readable(bytes: Buffer, size: number, redact: (text: string) => string): string {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const bodyAt = headEnd < 0 ? bytes.length : headEnd + 4;
  const head = bytes.toString('utf8', 0, bodyAt);
  if (TEXT_METHOD.test(head)) return redact(head) + (size > bodyAt ? `[${size - bodyAt} bytes]` : '');
  const text = redact(bytes.toString('utf8'));
  return size > bytes.length ? `${text}[and ${size - bytes.length} bytes more]` : text;
}
