import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';

/** An address of record as it stands in a URI. */
export interface AddressOfRecord {
  /** Unescaped; empty when there is none. */
  readonly user: string;
  /** With its port, when it has one. */
  readonly domain: string;
}

/** What a temporary GRUU belongs to. */
export interface Registered {
  /** What the bindings of the address of record are kept by. */
  readonly address: string;
  /** Which registration of a device it is. */
  readonly serial: number;
}

const CIPHER = 'aes-256-ctr';
const MAC_BYTES = 16;
const SERIAL_BYTES = 6;
const SEQUENCE_BYTES = 4;
const HEAD_BYTES = SERIAL_BYTES + SEQUENCE_BYTES;
const TEMPORARY_USER = /^tgruu\.([\w-]+)$/;

/**
 * URIs that lead to one device of an address of record (RFC 5627). The public one says of whom and which device. A
 * temporary one says neither, and nothing is kept for it (as in RFC 5627, appendix A.2): its user part is
 *
 *     base64url(mac | encrypted(serial | CSeq | address of record))
 *
 * where the MAC of the plain text is the cipher's initial vector as well. So equal texts alone share a vector, and each
 * refresh has another text, since its CSeq is higher (§5.4: each answer has a new URI, and the older ones go on working).
 */
export class Gruus {
  readonly #macKey: Buffer;
  readonly #cipherKey: Buffer;

  /** The key is a secret of this server: 32 random bytes. */
  constructor(key: Buffer) {
    [this.#macKey, this.#cipherKey] = ['mac', 'cipher'].map(use => hmac(key, Buffer.from(`gruu ${use}`))) as [
      Buffer,
      Buffer,
    ];
  }

  publicUri({ user, domain }: AddressOfRecord, scheme: string, instance: string): string {
    const userInfo = user === '' ? '' : `${encodeURIComponent(user)}@`;
    return `${scheme}:${userInfo}${domain};gr=${encodeURIComponent(instance).replaceAll('%3A', ':')}`;
  }

  /** `sequence` is the CSeq of the REGISTER that made or renewed the binding. */
  temporaryUri({ domain }: AddressOfRecord, scheme: string, { address, serial }: Registered, sequence: number): string {
    const plain = Buffer.alloc(HEAD_BYTES + Buffer.byteLength(address));
    plain.writeUIntBE(serial, 0, SERIAL_BYTES);
    plain.writeUInt32BE(sequence, SERIAL_BYTES);
    plain.write(address, HEAD_BYTES);
    const mac = this.#mac(plain);
    const cipher = createCipheriv(CIPHER, this.#cipherKey, mac);
    return `${scheme}:tgruu.${Buffer.concat([mac, cipher.update(plain)]).toString('base64url')}@${domain};gr`;
  }

  /** Whose temporary GRUU has this user part; null when we did not make it. */
  registered(user: string): Registered | null {
    const bytes = Buffer.from(TEMPORARY_USER.exec(user)?.[1] ?? '', 'base64url');
    if (bytes.length < MAC_BYTES + HEAD_BYTES) return null;
    const mac = bytes.subarray(0, MAC_BYTES);
    const plain = createDecipheriv(CIPHER, this.#cipherKey, mac).update(bytes.subarray(MAC_BYTES));
    if (!timingSafeEqual(mac, this.#mac(plain))) return null;
    return { address: plain.toString('utf8', HEAD_BYTES), serial: plain.readUIntBE(0, SERIAL_BYTES) };
  }

  #mac(plain: Buffer): Buffer {
    return hmac(this.#macKey, plain).subarray(0, MAC_BYTES);
  }
}

function hmac(key: Buffer, bytes: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest();
}
