import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import type { SrtpKeys } from '../native.ts';

const HEADER_BYTES = 8;
const INDEX_BYTES = 4;
const GCM_TAG_BYTES = 16;
const SHA1_TAG_BYTES = 10;
const ENCRYPTED = 0x8000_0000;
const INDEX_MASK = 0x7fff_ffff;
const REPLAY_WINDOW = 64;

/**
 * SRTCP with the last 31-bit index at the end of each packet (RFC 3711 §3.4):
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------------------------------------------------------+
 *     |  RTCP header and sender's SSRC, in the clear (8 bytes)        |
 *     +---------------------------------------------------------------+
 *     |  encrypted rest of the compound packet; with GCM then the tag |
 *     +-+-------------------------------------------------------------+
 *     |E|                       SRTCP index                           |
 *     +-+-------------------------------------------------------------+
 *     |  with HMAC-SHA1: authentication tag (10 bytes)                |
 *     +---------------------------------------------------------------+
 */
export class SrtcpSender {
  readonly #keys: SrtpKeys;
  #index = 0;

  constructor(keys: SrtpKeys) {
    this.#keys = keys;
  }

  /** Encrypts one compound packet of at least 8 bytes; null when the index is used up (RFC 3711 §9.2). */
  protect(compound: Buffer): Buffer | null {
    if (this.#index > INDEX_MASK) return null;
    const index = this.#index++;
    const trailer = Buffer.alloc(INDEX_BYTES);
    trailer.writeUInt32BE((ENCRYPTED | index) >>> 0);
    const header = compound.subarray(0, HEADER_BYTES);
    const iv = initialVector(this.#keys, header.readUInt32BE(4), index);
    if (this.#keys.profile === 'AEAD_AES_128_GCM') {
      // RFC 7714 §9.2: the associated data are the header and the index with its E bit.
      const cipher = createCipheriv('aes-128-gcm', this.#keys.encryptionKey, iv);
      cipher.setAAD(Buffer.concat([header, trailer]));
      const payload = cipher.update(compound.subarray(HEADER_BYTES));
      cipher.final();
      return Buffer.concat([header, payload, cipher.getAuthTag(), trailer]);
    }
    const payload = createCipheriv('aes-128-ctr', this.#keys.encryptionKey, iv).update(compound.subarray(HEADER_BYTES));
    const covered = Buffer.concat([header, payload, trailer]);
    return Buffer.concat([covered, hmac(this.#keys, covered)]);
  }
}

/** Decrypts what one peer sends, refusing forgeries and replays. */
export class SrtcpReceiver {
  readonly #keys: SrtpKeys;
  #highest = -1;
  /** Bit n is set when index `highest - n` was seen. */
  #seen = 0n;

  constructor(keys: SrtpKeys) {
    this.#keys = keys;
  }

  /** The compound packet, or null when it is too short, replayed or not authentic. */
  unprotect(packet: Buffer): Buffer | null {
    const gcm = this.#keys.profile === 'AEAD_AES_128_GCM';
    const indexAt = packet.length - INDEX_BYTES - (gcm ? 0 : SHA1_TAG_BYTES);
    if (indexAt < HEADER_BYTES + (gcm ? GCM_TAG_BYTES : 0)) return null;
    const word = packet.readUInt32BE(indexAt);
    const index = word & INDEX_MASK;
    // RFC 3711 §3.3.2: the replay check comes before the costly authentication, the window moves only after it.
    if (this.#isReplay(index)) return null;
    const compound = gcm ? this.#openGcm(packet, indexAt, index) : this.#openHmac(packet, indexAt, word, index);
    if (compound !== null) this.#mark(index);
    return compound;
  }

  #openGcm(packet: Buffer, indexAt: number, index: number): Buffer | null {
    const header = packet.subarray(0, HEADER_BYTES);
    const iv = initialVector(this.#keys, header.readUInt32BE(4), index);
    const decipher = createDecipheriv('aes-128-gcm', this.#keys.encryptionKey, iv, { authTagLength: GCM_TAG_BYTES });
    const encrypted = (packet[indexAt]! & 0x80) !== 0;
    const tagAt = indexAt - GCM_TAG_BYTES;
    const body = packet.subarray(HEADER_BYTES, tagAt);
    const trailer = packet.subarray(indexAt);
    // RFC 7714 §9.3: without the E bit nothing is encrypted and everything is associated data.
    decipher.setAAD(encrypted ? Buffer.concat([header, trailer]) : Buffer.concat([header, body, trailer]));
    decipher.setAuthTag(packet.subarray(tagAt, indexAt));
    try {
      const plain = encrypted ? decipher.update(body) : body;
      decipher.final();
      return Buffer.concat([header, plain]);
    } catch {
      return null;
    }
  }

  #openHmac(packet: Buffer, indexAt: number, word: number, index: number): Buffer | null {
    const covered = packet.subarray(0, indexAt + INDEX_BYTES);
    if (!timingSafeEqual(hmac(this.#keys, covered), packet.subarray(indexAt + INDEX_BYTES))) return null;
    const header = packet.subarray(0, HEADER_BYTES);
    const body = packet.subarray(HEADER_BYTES, indexAt);
    if (word < ENCRYPTED) return Buffer.concat([header, body]);
    const iv = initialVector(this.#keys, header.readUInt32BE(4), index);
    return Buffer.concat([header, createDecipheriv('aes-128-ctr', this.#keys.encryptionKey, iv).update(body)]);
  }

  #isReplay(index: number): boolean {
    const behind = this.#highest - index;
    if (behind < 0) return false;
    return behind >= REPLAY_WINDOW || ((this.#seen >> BigInt(behind)) & 1n) === 1n;
  }

  #mark(index: number): void {
    const ahead = index - this.#highest;
    if (ahead > 0) {
      this.#seen = ahead >= REPLAY_WINDOW ? 1n : BigInt.asUintN(REPLAY_WINDOW, (this.#seen << BigInt(ahead)) | 1n);
      this.#highest = index;
    } else {
      this.#seen |= 1n << BigInt(-ahead);
    }
  }
}

/** RFC 7714 §9.1 for GCM (12 bytes), RFC 3711 §4.1.1 for AES-CM (16 bytes). */
function initialVector({ profile, salt }: SrtpKeys, ssrc: number, index: number): Buffer {
  const gcm = profile === 'AEAD_AES_128_GCM';
  const iv = Buffer.alloc(gcm ? 12 : 16);
  iv.writeUInt32BE(ssrc, gcm ? 2 : 4);
  iv.writeUInt32BE(index, gcm ? 8 : 10);
  for (const [at, byte] of salt.entries()) iv[at]! ^= byte;
  return iv;
}

function hmac({ authenticationKey }: SrtpKeys, covered: Buffer): Buffer {
  return createHmac('sha1', authenticationKey).update(covered).digest().subarray(0, SHA1_TAG_BYTES);
}
