import { createDecipheriv, createHmac } from 'node:crypto';
import type { SrtpKeys } from '../../src/engine/native.ts';

const HEADER_BYTES = 12;

/**
 * The plaintext packet of an SRTP packet with a 12-byte header, written after RFC 3711 §3.3 and RFC 7714 §8 for tests
 * alone. Throws when the packet is not authentic.
 */
export function unprotect(packet: Buffer, keys: SrtpKeys, rolloverCounter = 0): Buffer {
  return keys.profile === 'AEAD_AES_128_GCM'
    ? unprotectGcm(packet, keys, rolloverCounter)
    : unprotectHmac(packet, keys, rolloverCounter);
}

function unprotectGcm(packet: Buffer, { encryptionKey, salt }: SrtpKeys, rolloverCounter: number): Buffer {
  const iv = Buffer.alloc(12);
  packet.copy(iv, 2, 8, 12);
  iv.writeUInt32BE(rolloverCounter, 6);
  packet.copy(iv, 10, 2, 4);
  const decipher = createDecipheriv('aes-128-gcm', encryptionKey, xor(iv, salt));
  decipher.setAAD(packet.subarray(0, HEADER_BYTES));
  decipher.setAuthTag(packet.subarray(-16));
  const payload = decipher.update(packet.subarray(HEADER_BYTES, -16));
  return Buffer.concat([packet.subarray(0, HEADER_BYTES), payload, decipher.final()]);
}

function unprotectHmac(packet: Buffer, keys: SrtpKeys, rolloverCounter: number): Buffer {
  const roc = Buffer.alloc(4);
  roc.writeUInt32BE(rolloverCounter);
  const tag = createHmac('sha1', keys.authenticationKey).update(packet.subarray(0, -10)).update(roc).digest();
  if (!tag.subarray(0, 10).equals(packet.subarray(-10))) throw new Error('wrong authentication tag');
  const iv = Buffer.alloc(16);
  packet.copy(iv, 4, 8, 12);
  roc.copy(iv, 8);
  packet.copy(iv, 12, 2, 4);
  const decipher = createDecipheriv('aes-128-ctr', keys.encryptionKey, xor(iv, keys.salt));
  return Buffer.concat([packet.subarray(0, HEADER_BYTES), decipher.update(packet.subarray(HEADER_BYTES, -10))]);
}

function xor(iv: Buffer, salt: Uint8Array): Buffer {
  for (const [at, byte] of salt.entries()) iv[at]! ^= byte;
  return iv;
}
