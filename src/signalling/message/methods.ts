/**
 * The methods that are registered for SIP (RFC 3261 and the RFCs of its extensions). Of these a server says that it
 * does not allow one (405); of any other, that it does not know it (501).
 */
const REGISTERED: ReadonlySet<string> = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
]);

/** Methods mind their case (RFC 3261 §7.1), and `%` escapes nothing in them. */
export function isRegisteredMethod(method: string): boolean {
  return REGISTERED.has(method);
}
