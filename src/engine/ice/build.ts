import {
  ATTRIBUTE,
  ATTRIBUTE_HEADER_BYTES,
  FINGERPRINT_BYTES,
  MAGIC_COOKIE,
  MESSAGE_INTEGRITY_BYTES,
  padded,
  STUN_HEADER_BYTES,
} from './attributes.ts';
import { BINDING, fingerprint, messageIntegrity, STUN_CLASSES, type StunClass } from './message.ts';

export interface StunAttribute {
  readonly type: number;
  readonly value: Buffer;
}

export interface StunContent {
  readonly class: StunClass;
  /** 12 bytes. */
  readonly transactionId: Buffer;
  readonly attributes: readonly StunAttribute[];
  /** Key of MESSAGE-INTEGRITY; null leaves it out. */
  readonly password: string | null;
}

/** A Binding message with FINGERPRINT. */
export function buildStun({ class: messageClass, transactionId, attributes, password }: StunContent): Buffer {
  const integrityBytes = password === null ? 0 : ATTRIBUTE_HEADER_BYTES + MESSAGE_INTEGRITY_BYTES;
  const content = attributes.reduce((bytes, { value }) => bytes + ATTRIBUTE_HEADER_BYTES + padded(value.length), 0);
  const length = content + integrityBytes + ATTRIBUTE_HEADER_BYTES + FINGERPRINT_BYTES;
  const message = Buffer.alloc(STUN_HEADER_BYTES + length);
  const classBits = STUN_CLASSES.indexOf(messageClass);
  message.writeUInt16BE(((classBits & 2) << 7) | ((classBits & 1) << 4) | BINDING, 0);
  message.writeUInt16BE(length, 2);
  message.writeUInt32BE(MAGIC_COOKIE, 4);
  transactionId.copy(message, 8);

  let offset = STUN_HEADER_BYTES;
  const append = (type: number, value: Buffer) => {
    message.writeUInt16BE(type, offset);
    message.writeUInt16BE(value.length, offset + 2);
    value.copy(message, offset + ATTRIBUTE_HEADER_BYTES);
    offset += ATTRIBUTE_HEADER_BYTES + padded(value.length);
  };
  for (const { type, value } of attributes) append(type, value);
  if (password !== null) append(ATTRIBUTE.messageIntegrity, messageIntegrity(message.subarray(0, offset), password));
  append(ATTRIBUTE.fingerprint, uint32(fingerprint(message.subarray(0, offset))));
  return message;
}

/**
 * XOR-MAPPED-ADDRESS (RFC 8489 §14.2): the address from which the request came
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |       0       | 1=IPv4 2=IPv6 |  port XOR upper 16 of cookie  |
 *     +---------------+---------------+-------------------------------+
 *     |  address, XOR cookie, and for IPv6 the transaction ID too   … |
 *     +---------------------------------------------------------------+
 */
export function xorMappedAddress(address: string, port: number, transactionId: Buffer): StunAttribute {
  const bytes = addressBytes(address);
  const mask = Buffer.concat([uint32(MAGIC_COOKIE), transactionId]);
  const value = Buffer.alloc(4 + bytes.length);
  value[1] = bytes.length === 4 ? 1 : 2;
  value.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
  for (const [index, byte] of bytes.entries()) value[4 + index] = byte ^ mask[index]!;
  return { type: ATTRIBUTE.xorMappedAddress, value };
}

/** ERROR-CODE (RFC 8489 §14.8). The phrase is left out: a short answer cannot amplify, and agents read the number. */
export function errorCode(code: number): StunAttribute {
  return { type: ATTRIBUTE.errorCode, value: Buffer.of(0, 0, Math.floor(code / 100), code % 100) };
}

/** UNKNOWN-ATTRIBUTES (RFC 8489 §14.9). */
export function unknownAttributes(types: readonly number[]): StunAttribute {
  const value = Buffer.alloc(2 * types.length);
  for (const [index, type] of types.entries()) value.writeUInt16BE(type, 2 * index);
  return { type: ATTRIBUTE.unknownAttributes, value };
}

/** A numeric IPv4 or IPv6 address in network order. */
function addressBytes(address: string): readonly number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  const [head = '', tail] = address.replace(/%.*/, '').split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').flatMap(groupBytes));
  const before = groups(head);
  const after = groups(tail ?? '');
  return [...before, ...Array<number>(16 - before.length - after.length).fill(0), ...after];
}

/** One group of an IPv6 address; the last may be written as IPv4 (RFC 4291 §2.2). */
function groupBytes(group: string): readonly number[] {
  if (group.includes('.')) return group.split('.').map(Number);
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
