import type { Path, SrtpKeys } from '../native.ts';
import type { MediaKind } from '../protocol.ts';

/** Which of a viewer's sockets a datagram came in or goes out on. WebRTC has one for everything. */
export type Lane = 'all' | `${MediaKind}:${'rtp' | 'rtcp'}`;

/** What a viewer does to the world; the engine's thread carries it out, a test writes it down. */
export interface ViewerPorts {
  send(lane: Lane, datagram: Uint8Array, path: Path): void;
  /** The path's far end proved that it is this viewer: datagrams from there are his. */
  proven(path: Path): void;
  /** The stream's packets can go out from now on, to this path; said again when the path changes. */
  flow(kind: MediaKind, path: Path, srtp: SrtpKeys | null): void;
  /** The viewer's decoder lost its way (PLI, FIR). */
  keyFrameWanted(kind: MediaKind): void;
  /** The viewer misses this packet (NACK). */
  retransmit(kind: MediaKind, sequenceNumber: number): void;
  /** Said once, when media can flow for the first time. */
  connected(): void;
  /** Said once; the viewer is of no more use and waits to be closed. */
  lost(reason: string): void;
  /** What was sent on a stream so far; zeros before the first packet. */
  sent(kind: MediaKind): { readonly packetsSent: number; readonly octetsSent: number };
}

/** One stream's identity, which its packets and its sender reports share. */
export interface ViewerStream {
  readonly kind: MediaKind;
  readonly ssrc: number;
  readonly clockRateHz: number;
  /** Added to the feed's timestamps, modulo 2^32 (RFC 3550 §5.1: the initial value should be random). */
  readonly timestampOffset: number;
  readonly nack: boolean;
}

/** One viewer's transport and feedback, without sockets or clocks. Times: `nowMs` monotonic, `nowUs` Unix time. */
export interface Viewer {
  receive(lane: Lane, datagram: Buffer, path: Path, nowMs: number): void;
  /** The caller's ACK came. */
  confirm(nowMs: number): void;
  /** Does what is due; called several times a second. */
  tick(nowMs: number, nowUs: bigint): void;
  /** Says goodbye to the peer. */
  close(): void;
}
