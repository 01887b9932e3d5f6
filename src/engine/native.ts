import { createRequire } from 'node:module';
import { DialcastError } from '../errors.ts';

/** The native add-on's face: packets in and out, DTLS on Node's own OpenSSL, and the fan-out loop. One thread each. */
export interface Native {
  readonly UdpSocket: new (options: UdpSocketOptions) => UdpSocket;
  readonly DtlsContext: new () => DtlsContext;
  readonly DtlsSession: new (context: DtlsContext, options: { mtuBytes: number }) => DtlsSession;
  readonly FanOut: new () => FanOut;
}

export interface UdpSocketOptions {
  /** Numeric address to bind, e.g. 0.0.0.0 or ::; IPv6 sockets carry IPv6 only. */
  readonly address: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly sendBufferBytes?: number;
  readonly receiveBufferBytes?: number;
  /** Called on the event loop for each datagram, at most 64 per turn. The buffer is the callee's to keep. */
  readonly onDatagram: (datagram: Buffer, path: Path) => void;
}

/** The two ends of a datagram's way: replies leave from the address at which the peer's datagram came in. */
export interface Path {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Empty lets the kernel choose when sending. */
  readonly localAddress: string;
}

export interface UdpSocket {
  readonly port: number;
  /** Sends one datagram at once; false when the kernel's buffer is full or the address cannot be reached. */
  send(datagram: Uint8Array, path: Path): boolean;
  close(): void;
}

/** A self-signed ECDSA P-256 certificate made at construction, and the DTLS 1.2 settings that go with it. */
export interface DtlsContext {
  /** SHA-256 over the DER certificate, upper-case hexadecimal with colons (RFC 8122 §5). */
  readonly fingerprint: string;
}

export type DtlsState = 'handshaking' | 'connected' | 'failed' | 'closed';

/** DTLS as server over memory BIOs: it never touches a socket. */
export interface DtlsSession {
  readonly state: DtlsState;
  /** Why the state is `failed`, in OpenSSL's words; else null. */
  readonly error: string | null;
  /** Takes one datagram and returns those to send. */
  receive(datagram: Uint8Array): Buffer[];
  /** Milliseconds until `handleTimeout` is due, null when no flight is waiting. */
  timeoutMs(): number | null;
  /** Retransmits the last flight when it is due. */
  handleTimeout(): Buffer[];
  /** DER of the peer's certificate once it was shown, else null. */
  peerCertificate(): Buffer | null;
  /** RFC 5764 protection profile once connected: 0x0007 AEAD_AES_128_GCM, 0x0001 AES128_CM_HMAC_SHA1_80; else null. */
  srtpProfile(): number | null;
  /** RFC 5705 exporter; only once connected. */
  exportKeyingMaterial(label: string, lengthBytes: number): Buffer;
  /** Sends close_notify. */
  close(): Buffer[];
}

export type SrtpProfile = 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';

/** Session keys after the derivation of RFC 3711 §4.3, for one direction of RTP. */
export interface SrtpKeys {
  readonly profile: SrtpProfile;
  /** 16 bytes. */
  readonly encryptionKey: Uint8Array;
  /** 12 bytes for GCM, 14 for AES-CM. */
  readonly salt: Uint8Array;
  /** 20 bytes for HMAC-SHA1, empty for GCM. */
  readonly authenticationKey: Uint8Array;
}

export interface StreamOptions {
  readonly ssrc: number;
  readonly payloadType: number;
  /** First sequence number; below 2^15, so that the rollover counter starts unambiguous (RFC 3711 §3.3.1). */
  readonly sequenceNumber: number;
  /** Added to every feed timestamp, modulo 2^32. */
  readonly timestampOffset: number;
  /** Null sends plain RTP. */
  readonly srtp: SrtpKeys | null;
}

/**
 * The fan-out loop. A feed is one rendition's packets in a ring; a stream is one viewer's RTP stream. Each pushed
 * frame is written once into the ring, then for every subscribed stream rewritten, encrypted and sent.
 */
export interface FanOut {
  /** `ringPackets` is a power of two. */
  addFeed(ringPackets: number): number;
  removeFeed(feed: number): void;
  addStream(options: StreamOptions): number;
  removeStream(stream: number): void;
  /** Where the stream's packets go from now on; until it is called they are not sent. */
  setPath(stream: number, socket: UdpSocket, path: Path): void;
  /** Null pauses. From the next pushed frame on, with sequence numbers that go on without a gap. */
  subscribe(stream: number, feed: number | null): void;
  /**
   * One frame as RTP payloads: `payloads` holds them one after the other, `sizes` their lengths; the last has the
   * marker bit when `marker` is set. Each payload is at most 1400 bytes. Returns the packets handed to the kernel.
   */
  push(feed: number, timestamp: number, payloads: Uint8Array, sizes: Uint16Array, marker: boolean): number;
  /** Sends a packet again from the ring (RFC 4585 NACK); false when it is no longer there or was never sent. */
  retransmit(stream: number, sequenceNumber: number): boolean;
  stats(stream: number): StreamStats;
  totals(): { readonly packetsSent: number; readonly octetsSent: number; readonly packetsDropped: number };
}

export interface StreamStats {
  readonly packetsSent: number;
  /** Payload octets, without headers or padding (RFC 3550 §6.4.1). */
  readonly octetsSent: number;
  /** Packets that the kernel did not take. */
  readonly packetsDropped: number;
  readonly packetsRetransmitted: number;
}

/** Loads the add-on that `npm run build` made. Throws NATIVE_MISSING. */
export function loadNative(): Native {
  const file = new URL('../../build/dialcast.node', import.meta.url).pathname;
  try {
    return createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    throw new DialcastError('NATIVE_MISSING', `cannot load ${file}`, { cause });
  }
}
