/** Names as they are usually written. What is not here is understood as well, at the price of a closer look. */
const USUAL = [
  'Accept',
  'Accept-Contact',
  'Accept-Encoding',
  'Accept-Language',
  'Alert-Info',
  'Allow',
  'Allow-Events',
  'Authorization',
  'CSeq',
  'Call-ID',
  'Call-Info',
  'Contact',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Length',
  'Content-Type',
  'Date',
  'Event',
  'Expires',
  'From',
  'History-Info',
  'Info-Package',
  'Max-Forwards',
  'Min-Expires',
  'Min-SE',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Path',
  'Privacy',
  'Proxy-Authorization',
  'Proxy-Require',
  'RAck',
  'RSeq',
  'Reason',
  'Record-Route',
  'Recv-Info',
  'Refer-To',
  'Referred-By',
  'Replaces',
  'Require',
  'Retry-After',
  'Route',
  'Server',
  'Session-Expires',
  'Subject',
  'Supported',
  'Timestamp',
  'To',
  'Unsupported',
  'User-Agent',
  'Via',
  'WWW-Authenticate',
];

/** RFC 3261 §7.3.3 and the RFCs of the headers. */
const COMPACT_FORMS = [
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
] as const;

const SPELLINGS: ReadonlyMap<string, string> = new Map(USUAL.map(written => [written.toLowerCase(), written]));
const NAMES: ReadonlyMap<string, string> = new Map([
  ...USUAL.map(written => [written, written.toLowerCase()] as const),
  ...USUAL.map(written => [written.toLowerCase(), written.toLowerCase()] as const),
  ...COMPACT_FORMS,
]);

/** A token, and the white space that may stand between it and the colon. */
const WRITTEN = /^([A-Za-z0-9.!%*_+`'~-]+)[ \t]*$/;

/** A header's name as this code compares it, lower case and long form; null for what can be no name. */
export function headerName(written: string): string | null {
  const usual = NAMES.get(written);
  if (usual !== undefined) return usual;
  const name = WRITTEN.exec(written)?.[1]?.toLowerCase();
  return name === undefined ? null : (NAMES.get(name) ?? name);
}

/** The name as it goes over the wire. */
export function spell(name: string): string {
  return SPELLINGS.get(name) ?? name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase());
}
