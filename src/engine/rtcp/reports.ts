import type { ReportBlock, RtcpBody, RtcpPacket } from './packets.ts';

const SENDER_INFO_BYTES = 24;
const REPORT_BLOCK_BYTES = 24;

/**
 * SR (RFC 3550 §6.4.1)
 *
 *     +---------------------------------------------------------------+
 *     |                              SSRC                             |
 *     +---------------------------------------------------------------+
 *     |                  NTP timestamp, 64 bits                       |
 *     |                                                               |
 *     +---------------------------------------------------------------+
 *     |                         RTP timestamp                         |
 *     +---------------------------------------------------------------+
 *     |                          packets sent                         |
 *     +---------------------------------------------------------------+
 *     |                       payload octets sent                     |
 *     +---------------------------------------------------------------+
 *     |                  report blocks, count times                   |
 *     +---------------------------------------------------------------+
 */
export function parseSenderReport({ count, body }: RtcpBody): readonly RtcpPacket[] {
  if (body.length < SENDER_INFO_BYTES + count * REPORT_BLOCK_BYTES) return [];
  return [
    {
      type: 'senderReport',
      ssrc: body.readUInt32BE(0),
      ntp: body.readBigUInt64BE(4),
      timestamp: body.readUInt32BE(12),
      packetsSent: body.readUInt32BE(16),
      octetsSent: body.readUInt32BE(20),
      reports: parseReportBlocks(body.subarray(SENDER_INFO_BYTES), count),
    },
  ];
}

/** RR (RFC 3550 §6.4.2): the SSRC of its sender, then report blocks. */
export function parseReceiverReport({ count, body }: RtcpBody): readonly RtcpPacket[] {
  if (body.length < 4 + count * REPORT_BLOCK_BYTES) return [];
  return [{ type: 'receiverReport', ssrc: body.readUInt32BE(0), reports: parseReportBlocks(body.subarray(4), count) }];
}

/**
 * Report block (RFC 3550 §6.4.1)
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------------------------------------------------------+
 *     |                  SSRC of the stream reported                  |
 *     +---------------+-----------------------------------------------+
 *     | fraction lost |       packets lost in all, signed 24 bits     |
 *     +---------------+-----------------------------------------------+
 *     |           extended highest sequence number received           |
 *     +---------------------------------------------------------------+
 *     |                             jitter                            |
 *     +---------------------------------------------------------------+
 *     |                      last SR (middle of NTP)                  |
 *     +---------------------------------------------------------------+
 *     |                 delay since last SR, 1/65536 s                |
 *     +---------------------------------------------------------------+
 */
function parseReportBlocks(blocks: Buffer, count: number): readonly ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const offset = index * REPORT_BLOCK_BYTES;
    return {
      ssrc: blocks.readUInt32BE(offset),
      fractionLost: blocks[offset + 4]! / 256,
      cumulativeLost: blocks.readIntBE(offset + 5, 3),
      highestSequenceNumber: blocks.readUInt32BE(offset + 8),
      jitter: blocks.readUInt32BE(offset + 12),
      lastSenderReport: blocks.readUInt32BE(offset + 16),
      delaySinceLastSenderReport: blocks.readUInt32BE(offset + 20),
    };
  });
}
