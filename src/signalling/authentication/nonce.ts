import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';

export interface NonceOptions {
  /** Secret of this server; 32 random bytes. */
  readonly key: Buffer;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly realm: string;
  readonly lifetimeMs?: number;
  /** So many nonces that were used are remembered with their counts. */
  readonly mostUsed?: number;
}

const LIFETIME_MS = 300_000;
const MOST_USED = 50_000;
const MAC_BYTES = 16;
const NONCE = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{22})$/;

interface Issued {
  readonly issuedAtMs: number;
  readonly serial: number;
}

/**
 * Nonces that carry their own proof, `time.serial.HMAC(time, serial, realm, source)`: a challenge costs no memory, so a
 * flood of requests without credentials leaves nothing behind (RFC 7616 §5.4). Only a nonce with which somebody proved
 * a password is remembered, by the highest count that was used with it.
 */
export class Nonces {
  readonly #options: Required<NonceOptions>;
  /** Highest count by serial, those that were used last at the end. */
  readonly #counts = new Map<number, number>();
  #serial = 0;
  /** Whatever was issued before this and is not remembered may have been used: it is stale. */
  #forgottenUpTo = 0;

  constructor(options: NonceOptions) {
    this.#options = { lifetimeMs: LIFETIME_MS, mostUsed: MOST_USED, ...options };
  }

  /** Nonces that are remembered. */
  get used(): number {
    return this.#counts.size;
  }

  /**
   * A new one, for requests from this source alone. Whoever forges the address of another never sees the nonce that is
   * sent there, and so can't fail in its name either.
   */
  issue(source: string): string {
    const time = Math.floor(this.#options.clock.nowMs()).toString(36);
    const stamp = `${time}.${(++this.#serial).toString(36)}`;
    return `${stamp}.${this.#mac(stamp, source).toString('base64url')}`;
  }

  /** Is it ours, for this source, young enough, and was no request with this count or a higher one accepted? */
  isFresh(nonce: string, source: string, count: number): boolean {
    const issued = this.#issued(nonce, source);
    if (issued === null) return false;
    if (this.#options.clock.nowMs() - issued.issuedAtMs >= this.#options.lifetimeMs) return false;
    const highest = this.#counts.get(issued.serial);
    return highest === undefined ? issued.serial > this.#forgottenUpTo && count > 0 : count > highest;
  }

  /** A request with this nonce and count was accepted; no other may be. The nonce is a fresh one. */
  use(nonce: string, source: string, count: number): void {
    const { serial } = this.#issued(nonce, source)!;
    this.#counts.delete(serial);
    this.#counts.set(serial, count);
    if (this.#counts.size <= this.#options.mostUsed) return;
    const [oldest] = this.#counts.keys();
    this.#counts.delete(oldest!);
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, oldest!);
  }

  #issued(nonce: string, source: string): Issued | null {
    const match = NONCE.exec(nonce);
    if (match === null) return null;
    const [, time, serial, mac] = match;
    const given = Buffer.from(mac!, 'base64url');
    if (!timingSafeEqual(given, this.#mac(`${time}.${serial}`, source))) return null;
    return { issuedAtMs: Number.parseInt(time!, 36), serial: Number.parseInt(serial!, 36) };
  }

  #mac(stamp: string, source: string): Buffer {
    const { key, realm } = this.#options;
    return createHmac('sha256', key)
      .update(JSON.stringify([stamp, realm, source]))
      .digest()
      .subarray(0, MAC_BYTES);
  }
}
