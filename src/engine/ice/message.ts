import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  ATTRIBUTE,
  ATTRIBUTE_HEADER_BYTES,
  FINGERPRINT_BYTES,
  FINGERPRINT_XOR,
  IGNORED_ATTRIBUTES,
  MAGIC_COOKIE,
  MESSAGE_INTEGRITY_BYTES,
  padded,
  STUN_HEADER_BYTES,
} from './attributes.ts';

export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** In the order of the two class bits. */
export const STUN_CLASSES: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

/** The only method of ICE (RFC 8489 §18.2). */
export const BINDING = 0x001;

/** A STUN message as far as ICE is concerned. */
export interface StunMessage {
  readonly class: StunClass;
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Buffer;
  readonly username: string | null;
  readonly priority: number | null;
  readonly useCandidate: boolean;
  readonly role: 'controlling' | 'controlled' | null;
  readonly errorCode: number | null;
  /** Types that must be understood and are not. */
  readonly unknownAttributes: readonly number[];
  /** Where MESSAGE-INTEGRITY begins; null when there is none. */
  readonly integrityOffset: number | null;
}

/** Checks have 100 to 200 bytes; RFC 8489 §6.1 keeps STUN inside the smallest IPv6 path. */
const MAX_STUN_BYTES = 1280;

/** RFC 8489 §14.3. */
const MAX_USERNAME_BYTES = 509;

/**
 * Reads a STUN message; null for anything that is none: a length that does not fit, attributes beyond the end, a wrong
 * FINGERPRINT. It says nothing of who sent it: see {@link isAuthentic}.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---+---------------------------+-------------------------------+
 *     |0 0| method 11-7 C 6-4 C 3-0   |       length of attributes    |
 *     +---+---------------------------+-------------------------------+
 *     |                  magic cookie 0x2112A442                      |
 *     +---------------------------------------------------------------+
 *     |                                                               |
 *     |                  transaction ID, 96 bits                      |
 *     |                                                               |
 *     +-------------------------------+-------------------------------+
 *     |        attribute type         |  length of value, unpadded    |
 *     +-------------------------------+-------------------------------+
 *     |               value, padded to 32 bits                      … |
 *     +---------------------------------------------------------------+
 */
export function parseStun(datagram: Buffer): StunMessage | null {
  if (datagram.length < STUN_HEADER_BYTES || datagram.length > MAX_STUN_BYTES) return null;
  const type = datagram.readUInt16BE(0);
  if (type >> 14 !== 0 || datagram.readUInt32BE(4) !== MAGIC_COOKIE) return null;
  const length = datagram.readUInt16BE(2);
  if (length % 4 !== 0 || STUN_HEADER_BYTES + length !== datagram.length) return null;
  const attributes = parseAttributes(datagram);
  if (attributes === null) return null;
  return {
    class: STUN_CLASSES[((type >> 7) & 2) | ((type >> 4) & 1)]!,
    method: ((type & 0x3e00) >> 2) | ((type & 0x00e0) >> 1) | (type & 0x000f),
    transactionId: datagram.subarray(8, STUN_HEADER_BYTES),
    ...attributes,
  };
}

type Attributes = Omit<StunMessage, 'class' | 'method' | 'transactionId'>;

function parseAttributes(datagram: Buffer): Attributes | null {
  const unknownAttributes: number[] = [];
  const found: { -readonly [Name in keyof Attributes]: Attributes[Name] } = {
    username: null,
    priority: null,
    useCandidate: false,
    role: null,
    errorCode: null,
    unknownAttributes,
    integrityOffset: null,
  };
  for (let offset = STUN_HEADER_BYTES; offset < datagram.length; ) {
    // The length is a multiple of four, and so is every step: a header always fits.
    const type = datagram.readUInt16BE(offset);
    const bytes = datagram.readUInt16BE(offset + 2);
    const start = offset + ATTRIBUTE_HEADER_BYTES;
    const next = start + padded(bytes);
    if (next > datagram.length) return null;
    const value = datagram.subarray(start, start + bytes);
    if (type === ATTRIBUTE.fingerprint) {
      if (bytes !== FINGERPRINT_BYTES || next !== datagram.length) return null;
      if (value.readUInt32BE(0) !== fingerprint(datagram.subarray(0, offset))) return null;
    } else if (found.integrityOffset === null) {
      if (!readAttribute(type, value, offset, found, unknownAttributes)) return null;
    }
    // RFC 8489 §14.5: what follows MESSAGE-INTEGRITY is not protected by it, and ignored.
    offset = next;
  }
  return found;
}

/** False when the value's length is not what its type wants. */
function readAttribute(
  type: number,
  value: Buffer,
  offset: number,
  found: { -readonly [Name in keyof Attributes]: Attributes[Name] },
  unknownAttributes: number[],
): boolean {
  switch (type) {
    case ATTRIBUTE.username:
      found.username = value.toString('utf8');
      return value.length <= MAX_USERNAME_BYTES;
    case ATTRIBUTE.messageIntegrity:
      found.integrityOffset = offset;
      return value.length === MESSAGE_INTEGRITY_BYTES;
    case ATTRIBUTE.priority:
      if (value.length !== 4) return false;
      found.priority = value.readUInt32BE(0);
      return true;
    case ATTRIBUTE.useCandidate:
      found.useCandidate = true;
      return value.length === 0;
    case ATTRIBUTE.iceControlled:
    case ATTRIBUTE.iceControlling:
      found.role = type === ATTRIBUTE.iceControlled ? 'controlled' : 'controlling';
      return value.length === 8;
    case ATTRIBUTE.errorCode:
      if (value.length < 4) return false;
      found.errorCode = (value[2]! & 0x07) * 100 + value[3]!;
      return true;
    default:
      if (type < 0x8000 && !IGNORED_ATTRIBUTES.has(type)) unknownAttributes.push(type);
      return true;
  }
}

/** Was the message made by somebody who knows the password (RFC 8489 §14.5). Takes the same time for any wrong one. */
export function isAuthentic(datagram: Buffer, message: StunMessage, password: string): boolean {
  if (message.integrityOffset === null) return false;
  const start = message.integrityOffset + ATTRIBUTE_HEADER_BYTES;
  const given = datagram.subarray(start, start + MESSAGE_INTEGRITY_BYTES);
  return timingSafeEqual(given, messageIntegrity(datagram.subarray(0, message.integrityOffset), password));
}

/** The HMAC over all before the attribute, with a length in the header as if the message ended behind it. */
export function messageIntegrity(before: Buffer, password: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(before.length - STUN_HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + MESSAGE_INTEGRITY_BYTES);
  return createHmac('sha1', password).update(before.subarray(0, 2)).update(length).update(before.subarray(4)).digest();
}

/** RFC 8489 §14.7; the header's length already counts the attribute. */
export function fingerprint(before: Buffer): number {
  return (crc32(before) ^ FINGERPRINT_XOR) >>> 0;
}
