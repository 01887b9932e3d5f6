/** STUN attribute types (RFC 8489 §18.3, RFC 8445 §20.1). Those below 0x8000 must be understood. */
export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  messageIntegritySha256: 0x001c,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** Attributes of RFC 8489 that say nothing in a connectivity check, but are no reason for a 420. */
export const IGNORED_ATTRIBUTES: ReadonlySet<number> = new Set([
  0x0001, // MAPPED-ADDRESS
  0x0014, // REALM
  0x0015, // NONCE
  0x001d, // PASSWORD-ALGORITHM
  0x001e, // USERHASH
  ATTRIBUTE.errorCode,
  ATTRIBUTE.unknownAttributes,
  ATTRIBUTE.messageIntegritySha256,
  ATTRIBUTE.xorMappedAddress,
]);

export const MAGIC_COOKIE = 0x2112a442;
export const STUN_HEADER_BYTES = 20;
export const ATTRIBUTE_HEADER_BYTES = 4;
export const MESSAGE_INTEGRITY_BYTES = 20;
export const FINGERPRINT_BYTES = 4;

/** RFC 8489 §14.7: what FINGERPRINT's CRC is XORed with. */
export const FINGERPRINT_XOR = 0x5354554e;

/** Attribute values are padded to a multiple of four bytes. */
export function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}
