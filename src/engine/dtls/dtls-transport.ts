import { createHash, timingSafeEqual } from 'node:crypto';
import type { DtlsSession, DtlsState, SrtpKeys } from '../native.ts';
import {
  deriveKeys,
  keyingMaterialBytes,
  SrtcpReceiver,
  SrtcpSender,
  splitKeyingMaterial,
  srtpProfile,
} from '../srtp/index.ts';

export interface Fingerprint {
  /** Lower case, e.g. sha-256. */
  readonly hash: string;
  /** Upper-case hexadecimal with colons. */
  readonly value: string;
}

/** RFC 8122 §5 allows older hashes; they are no proof of anything any more. */
const HASHES = new Map([
  ['sha-256', 'sha256'],
  ['sha-384', 'sha384'],
  ['sha-512', 'sha512'],
]);

interface Secured {
  readonly srtpKeys: SrtpKeys;
  readonly srtcpSender: SrtcpSender;
  readonly srtcpReceiver: SrtcpReceiver;
}

/** DTLS-SRTP as the passive side (RFC 5764): a handshake, a peer proven by its fingerprint, keys for both directions. */
export class DtlsTransport {
  readonly #session: DtlsSession;
  readonly #fingerprints: readonly Fingerprint[];
  #secured: Secured | null = null;
  #refusal: string | null = null;

  constructor(session: DtlsSession, fingerprints: readonly Fingerprint[]) {
    this.#session = session;
    this.#fingerprints = fingerprints;
  }

  /** `connected` only when the peer's certificate is the one that its offer announced. */
  get state(): DtlsState {
    return this.#refusal === null ? this.#session.state : 'failed';
  }

  /** Why the state is `failed`. */
  get error(): string | null {
    return this.#refusal ?? this.#session.error;
  }

  /** What our RTP is encrypted with; null before the state is `connected`. */
  get srtpKeys(): SrtpKeys | null {
    return this.#secured?.srtpKeys ?? null;
  }

  /** Takes a datagram and returns those to send. */
  receive(datagram: Buffer): Buffer[] {
    if (this.#refusal !== null) return [];
    const datagrams = this.#session.receive(datagram);
    if (this.#session.state === 'connected' && this.#secured === null) this.#secure();
    return this.#refusal === null ? datagrams : [];
  }

  /** Sends the last flight again when it is due; call it often. */
  handleTimeout(): Buffer[] {
    const timeoutMs = this.#session.timeoutMs();
    return timeoutMs === null || timeoutMs > 0 ? [] : this.#session.handleTimeout();
  }

  /** Null before the handshake is done, and when the packet cannot be protected. */
  protectRtcp(compound: Buffer): Buffer | null {
    return this.#secured?.srtcpSender.protect(compound) ?? null;
  }

  /** Null when the packet is not the peer's. */
  unprotectRtcp(packet: Buffer): Buffer | null {
    return this.#secured?.srtcpReceiver.unprotect(packet) ?? null;
  }

  /** The datagrams that tell the peer. */
  close(): Buffer[] {
    return this.#session.close();
  }

  #secure(): void {
    const profile = srtpProfile(this.#session.srtpProfile());
    const certificate = this.#session.peerCertificate();
    if (profile === null) this.#refusal = 'no SRTP protection profile in common';
    else if (certificate === null || !this.#isAnnounced(certificate)) {
      this.#refusal = 'the certificate is not the one of the offer';
    } else {
      const bytes = keyingMaterialBytes(profile);
      const material = this.#session.exportKeyingMaterial('EXTRACTOR-dtls_srtp', bytes);
      const { client, server } = splitKeyingMaterial(profile, material);
      this.#secured = {
        srtpKeys: deriveKeys(server, 'rtp'),
        srtcpSender: new SrtcpSender(deriveKeys(server, 'rtcp')),
        srtcpReceiver: new SrtcpReceiver(deriveKeys(client, 'rtcp')),
      };
    }
  }

  #isAnnounced(certificate: Buffer): boolean {
    return this.#fingerprints.some(({ hash, value }) => {
      const algorithm = HASHES.get(hash);
      if (algorithm === undefined) return false;
      const digest = createHash(algorithm).update(certificate).digest();
      const announced = Buffer.from(value.replaceAll(':', ''), 'hex');
      return announced.length === digest.length && timingSafeEqual(announced, digest);
    });
  }
}
