/** What an offer was found to want, and what is needed to answer it. All plain data. */

export type VideoCodec = 'h264' | 'vp8';
export type AudioCodec = 'opus' | 'pcma' | 'pcmu';

/** What a channel can give, best first. An empty list means that the channel has no such medium. */
export interface Capabilities {
  readonly video: readonly VideoCodec[];
  readonly audio: readonly AudioCodec[];
  /**
   * The H.264 stream that can be sent as it is, in mode 1, to whoever takes it. Left out, or whoever does not: all that
   * is sent is Constrained Baseline of a level that suits.
   */
  readonly h264?: { readonly profile: H264Profile; readonly levelIdc: number };
}

/** What a decoder has to know at least; each can do what those before it can. The first is Constrained Baseline. */
export type H264Profile = 'baseline' | 'main' | 'high';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One accepted m-line. */
export interface AcceptedMedia {
  readonly accepted: true;
  readonly kind: 'video' | 'audio';
  readonly mid: string | null;
  /** The offer's own protocol token, repeated in the answer: RTP/AVP, RTP/AVPF, UDP/TLS/RTP/SAVPF … */
  readonly protocol: string;
  readonly codec: VideoCodec | AudioCodec;
  readonly payloadType: number;
  /** RTP clock in Hz: 90000 for video, 48000 for Opus, 8000 for G.711. */
  readonly clockRateHz: number;
  /** H.264 only (RFC 6184): 0 or 1. */
  readonly packetizationMode: 0 | 1;
  /** H.264 only: six hexadecimal digits as they go into the answer. */
  readonly profileLevelId: string | null;
  /** H.264 only: highest level_idc that the caller decodes (31 = level 3.1; 10 also for level 1b). */
  readonly maxLevelIdc: number | null;
  /** H.264 only: did the offer say level-asymmetry-allowed=1. */
  readonly levelAsymmetryAllowed: boolean;
  /** Direction in our answer: sendonly or inactive. */
  readonly direction: Direction;
  /** Does the caller take media now (false while it holds the call). */
  readonly sending: boolean;
  readonly rtcpMux: boolean;
  readonly feedback: { readonly nack: boolean; readonly pli: boolean; readonly fir: boolean };
  /** Plain RTP: where the offer wants packets. Null for WebRTC. */
  readonly remote: { readonly address: string; readonly port: number; readonly rtcpPort: number } | null;
}

/** One m-line that is answered with port 0. */
export interface RefusedMedia {
  readonly accepted: false;
  readonly kind: string;
  readonly mid: string | null;
  readonly protocol: string;
  readonly payloads: string;
}

export interface Negotiated {
  readonly ok: true;
  readonly transport: 'webrtc' | 'rtp';
  /** In the order of the offer's m-lines. */
  readonly media: readonly (AcceptedMedia | RefusedMedia)[];
  /** WebRTC only. */
  readonly webrtc: {
    readonly iceUfrag: string;
    readonly icePwd: string;
    /** Every a=fingerprint of the offer, hash names in lower case, values upper case with colons. */
    readonly fingerprints: readonly Fingerprint[];
    /** RFC 8843: mids of the accepted m-lines that share the transport, in the offer's order; empty without BUNDLE. */
    readonly bundle: readonly string[];
  } | null;
}

/** RFC 8122 §5. */
export interface Fingerprint {
  readonly hash: string;
  readonly value: string;
}

/** Why an offer cannot be answered: 400 (not SDP) or 488 (nothing in common). The reason fits a SIP reason phrase. */
export interface NegotiationFailure {
  readonly ok: false;
  readonly status: 400 | 488;
  readonly reason: string;
}

/** What the engine gave for this viewer. */
export type LocalMedia =
  | {
      readonly transport: 'webrtc';
      readonly iceUfrag: string;
      readonly icePwd: string;
      /** sha-256, upper case with colons. */
      readonly fingerprint: string;
      readonly candidates: readonly { readonly address: string; readonly port: number }[];
      readonly streams: readonly LocalStream[];
    }
  | {
      readonly transport: 'rtp';
      readonly address: string;
      readonly streams: readonly (LocalStream & { readonly port: number; readonly rtcpPort: number })[];
    };

export interface LocalStream {
  readonly kind: 'video' | 'audio';
  readonly ssrc: number;
  readonly cname: string;
}
