/** Parameters of URIs and headers: names in lower case; null for one without a value. */
export type Parameters = ReadonlyMap<string, string | null>;

export const NO_PARAMETERS: Parameters = new Map();

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LESS = 0x3c;
const GREATER = 0x3e;

/** More than anybody writes; what comes after them is not read. */
const MOST_PARAMETERS = 64;

/** Cuts text at a separator, but not inside quotes or angle brackets, into so many pieces at most. They are trimmed. */
export function splitUnquoted(text: string, separator: ',' | ';', most = Number.POSITIVE_INFINITY): string[] {
  if (!text.includes(separator)) return [text.trim()];
  const separatorCode = separator.charCodeAt(0);
  const pieces: string[] = [];
  let quoted = false;
  let bracketed = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted && code === BACKSLASH) at++;
    else if (code === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (code === LESS) bracketed = true;
    else if (code === GREATER) bracketed = false;
    else if (code === separatorCode && !bracketed) {
      pieces.push(text.slice(start, at).trim());
      if (pieces.length === most) return pieces;
      start = at + 1;
    }
  }
  pieces.push(text.slice(start).trim());
  return pieces;
}

/** `;a=b;c` or `a=b;c`. Of a name that comes twice, the first counts. */
export function parseParameters(text: string): Parameters {
  const parameters = new Map<string, string | null>();
  for (const piece of splitUnquoted(text, ';', MOST_PARAMETERS)) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim().toLowerCase();
    if (!parameters.has(name)) parameters.set(name, equals < 0 ? null : unquote(piece.slice(equals + 1).trim()));
  }
  return parameters;
}

export function formatParameters(parameters: Parameters): string {
  let text = '';
  for (const [name, value] of parameters) text += value === null ? `;${name}` : `;${name}=${value}`;
  return text;
}

/** Takes the quotes and escapes off a quoted string (RFC 3261 §25.1); leaves anything else as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}
