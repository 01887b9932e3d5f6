/** As we and most others spell it; looked for first, since that costs a tenth of a pattern. */
const USUAL = '\r\nCall-ID: ';
/** RFC 3261 §7.3.1: in any case, in its compact form, with blanks before the colon, or with its value on the next line. */
const ANY = /\r\n(?:call-id|i)[ \t]*:(?:\r\n(?=[ \t]))?([^\r\n]*)/i;

/**
 * The Call-ID of a message that was not scanned; null when it has none. `octets` is the message, an octet a character:
 * that is quicker to search than the bytes, but a piece of it would be slow to look up by.
 */
export function callIdOf(bytes: Buffer, octets: string): string | null {
  const headEnd = octets.indexOf('\r\n\r\n');
  const end = headEnd < 0 ? octets.length : headEnd;
  const at = octets.indexOf(USUAL);
  if (at < 0 || at >= end) return ANY.exec(bytes.toString('utf8', 0, end))?.[1]?.trim() || null;
  const begin = at + USUAL.length;
  const lineEnd = octets.indexOf('\r', begin);
  return bytes.toString('utf8', begin, lineEnd < 0 ? end : lineEnd).trim() || null;
}
