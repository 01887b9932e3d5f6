/**
 * RTP fixed header (RFC 3550 §5.1) and extension (§5.3.1)
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---+-+-+-------+-+-------------+-------------------------------+
 *     |V=2|P|X|  CC   |M|     PT      |        sequence number        |
 *     +---+-+-+-------+-+-------------+-------------------------------+
 *     |                           timestamp                           |
 *     +---------------------------------------------------------------+
 *     |                             SSRC                              |
 *     +---------------------------------------------------------------+
 *     |                      CSRC, CC times 32 bits                   |
 *     +-------------------------------+-------------------------------+
 *     | X=1: defined by profile       | length of extension, in words |
 *     +-------------------------------+-------------------------------+
 */
export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Where the payload begins, after CSRCs and extension. */
  readonly payloadOffset: number;
}

const FIXED_BYTES = 12;

/** Reads the header, which SRTP leaves in the clear; null when this is not RTP or ends before its header does. */
export function parseRtpHeader(datagram: Buffer): RtpHeader | null {
  if (datagram.length < FIXED_BYTES) return null;
  const first = datagram[0]!;
  const second = datagram[1]!;
  if (first >> 6 !== 2) return null;
  let payloadOffset = FIXED_BYTES + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (datagram.length < payloadOffset + 4) return null;
    payloadOffset += 4 + 4 * datagram.readUInt16BE(payloadOffset + 2);
  }
  if (datagram.length < payloadOffset) return null;
  return {
    payloadType: second & 0x7f,
    marker: second >> 7 === 1,
    sequenceNumber: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payloadOffset,
  };
}
