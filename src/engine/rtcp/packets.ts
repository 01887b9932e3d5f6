/** RTCP packet types (RFC 3550 §12.1, RFC 4585 §6.1). */
export const PACKET_TYPE = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  application: 204,
  transportFeedback: 205,
  payloadFeedback: 206,
} as const;

/** The FMT field of feedback packets: RFC 4585 §6.2.1 and §6.3.1, RFC 5104 §4.3.1. */
export const FEEDBACK_FORMAT = { nack: 1, pli: 1, fir: 4 } as const;

/** SDES item types (RFC 3550 §6.5). */
export const SDES_ITEM = { end: 0, cname: 1 } as const;

/** The part of a packet behind its common header, and the header's five-bit count (or subtype, or format). */
export interface RtcpBody {
  readonly count: number;
  readonly body: Buffer;
}

/** How one stream arrives at a receiver (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Since the last report, 0 to 1. */
  readonly fractionLost: number;
  /** Since the beginning; negative when duplicates outnumber losses. */
  readonly cumulativeLost: number;
  /** Sequence number with the count of its wraps in the upper 16 bits. */
  readonly highestSequenceNumber: number;
  /** In units of the stream's RTP clock. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the sender report heard last; 0 for none. */
  readonly lastSenderReport: number;
  /** In units of 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

export type RtcpPacket =
  | {
      readonly type: 'senderReport';
      readonly ssrc: number;
      readonly ntp: bigint;
      readonly timestamp: number;
      readonly packetsSent: number;
      readonly octetsSent: number;
      readonly reports: readonly ReportBlock[];
    }
  | { readonly type: 'receiverReport'; readonly ssrc: number; readonly reports: readonly ReportBlock[] }
  | {
      readonly type: 'sourceDescription';
      readonly chunks: readonly { readonly ssrc: number; readonly cname: string | null }[];
    }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] }
  | {
      readonly type: 'application';
      readonly ssrc: number;
      readonly subtype: number;
      readonly name: string;
      readonly data: Buffer;
    }
  | {
      readonly type: 'nack';
      readonly senderSsrc: number;
      readonly mediaSsrc: number;
      readonly sequenceNumbers: readonly number[];
    }
  | { readonly type: 'pli'; readonly senderSsrc: number; readonly mediaSsrc: number }
  /** One entry of a FIR packet: each names its own stream. */
  | {
      readonly type: 'fir';
      readonly senderSsrc: number;
      readonly mediaSsrc: number;
      readonly commandSequenceNumber: number;
    };
