/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Names of fields whose value is a secret whatever it looks like; compared without case, dashes and underscores. */
const SECRET_FIELDS = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'password',
  'secret',
  'token',
  'icepwd',
  'icepassword',
  'ha1',
  'a1hash',
]);

/**
 * Secrets inside free text: a SIP message, an SDP, a URL. The first group is kept, the rest of the match is not.
 * Repetitions that could start anywhere are bounded: the text may come from the network, and must not cost O(n²).
 */
const SECRETS_IN_TEXT: readonly RegExp[] = [
  // RFC 3261 §20.7, §20.28; a header may be folded over several lines (§7.3.1).
  /((?:^|[\r\n])[ \t]*(?:Proxy-)?Authorization[ \t]*:[ \t]*)[^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*/gi,
  // RFC 3261 §20.44, RFC 7616 §3.5: a nonce, and a proof of the password; in the answers to credentials as well.
  /\b((?:nonce|cnonce|nextnonce|rspauth)\s{0,4}=\s{0,4}"?)[^\s",]+/gi,
  // RFC 8839 §5.4: whoever knows the ICE password can speak for the agent.
  /(a=ice-pwd:)\S+/g,
  // RFC 4568 §6.1: SDES carries SRTP master keys in clear, several if it likes.
  /(a=crypto:\d{1,9}[ \t]+\S{1,64}[ \t]+)[^\r\n]*/g,
  // RFC 8866 §5.12, RFC 4567 §3: what came before SDES, and MIKEY.
  /((?:^|[\r\n])(?:k=|a=key-mgmt:))[^\r\n]*/g,
  // RFC 3986 §3.2.1: user information of a URL, or of a SIP URI (RFC 3261 §19.1.1).
  /(\b[a-z][a-z0-9+.-]{0,15}:(?:\/\/)?[^\s:/@<>"]{1,128}:)[^\s/@<>"]{1,256}(?=@)/gi,
  /\b((?:password|passwd|pwd|secret|token|api[-_]?key)\s{0,4}[=:]\s{0,4})[^\s&;,"'}]+/gi,
  /\b((?:Bearer|Basic)\s+)[A-Za-z0-9+/=._~-]{8,}/g,
];

/** Deeper than any field that is logged; bounds what a cyclic one can cost. */
const MAX_DEPTH = 6;

/** The text without its credentials. */
export function redactText(text: string): string {
  let redacted = text;
  for (const pattern of SECRETS_IN_TEXT) redacted = redacted.replace(pattern, `$1${REDACTED}`);
  return redacted;
}

/** A copy of the fields without credentials, whatever their depth. Values that are not plain data stay as they are. */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactRecord(fields, 0);
}

function redactRecord(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      isSecretField(name) ? REDACTED : redactValue(value, depth + 1),
    ]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[too deep]';
  if (Array.isArray(value)) return value.map(item => redactValue(item, depth + 1));
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? redactRecord(value, depth) : value;
}

function isSecretField(name: string): boolean {
  return SECRET_FIELDS.has(name.replaceAll(/[-_]/g, '').toLowerCase());
}
