import { createCipheriv } from 'node:crypto';
import type { SrtpKeys, SrtpProfile } from '../native.ts';

/** One side's master key and salt. */
export interface MasterKey {
  readonly profile: SrtpProfile;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** Lengths in bytes (RFC 3711 §8.2, RFC 7714 §12). */
const PROFILES = {
  AEAD_AES_128_GCM: { key: 16, salt: 12, authentication: 0 },
  AES_CM_128_HMAC_SHA1_80: { key: 16, salt: 14, authentication: 20 },
} as const satisfies Record<SrtpProfile, object>;

/** RFC 3711 §4.3.2: which session key is derived. */
const LABELS = {
  rtp: { encryption: 0x00, authentication: 0x01, salt: 0x02 },
  rtcp: { encryption: 0x03, authentication: 0x04, salt: 0x05 },
} as const;

/** DTLS-SRTP protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2). */
const PROFILE_IDS = new Map<number, SrtpProfile>([
  [0x0001, 'AES_CM_128_HMAC_SHA1_80'],
  [0x0007, 'AEAD_AES_128_GCM'],
]);

/** The profile with this number in the use_srtp extension, null when we have none such. */
export function srtpProfile(id: number | null): SrtpProfile | null {
  return id === null ? null : (PROFILE_IDS.get(id) ?? null);
}

/** How much keying material DTLS has to export for a profile (RFC 5764 §4.2): two keys and two salts. */
export function keyingMaterialBytes(profile: SrtpProfile): number {
  return 2 * (PROFILES[profile].key + PROFILES[profile].salt);
}

/** Cuts exported material into the two sides' master keys: client key, server key, client salt, server salt. */
export function splitKeyingMaterial(
  profile: SrtpProfile,
  material: Uint8Array,
): { readonly client: MasterKey; readonly server: MasterKey } {
  const { key, salt } = PROFILES[profile];
  const cut = (at: number, bytes: number) => material.subarray(at, at + bytes);
  return {
    client: { profile, key: cut(0, key), salt: cut(2 * key, salt) },
    server: { profile, key: cut(key, key), salt: cut(2 * key + salt, salt) },
  };
}

/** Session keys for one direction of RTP or RTCP (RFC 3711 §4.3, with a key derivation rate of zero). */
export function deriveKeys({ profile, key, salt }: MasterKey, protocol: 'rtp' | 'rtcp'): SrtpKeys {
  const lengths = PROFILES[profile];
  const labels = LABELS[protocol];
  return {
    profile,
    encryptionKey: derive(key, salt, labels.encryption, lengths.key),
    salt: derive(key, salt, labels.salt, lengths.salt),
    authenticationKey: derive(key, salt, labels.authentication, lengths.authentication),
  };
}

/** AES-CM as pseudo-random function (RFC 3711 §4.3.3); a 12-byte salt is filled with zeros (RFC 7714 §11). */
function derive(key: Uint8Array, salt: Uint8Array, label: number, bytes: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.set(salt);
  iv[7]! ^= label;
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(bytes));
}
