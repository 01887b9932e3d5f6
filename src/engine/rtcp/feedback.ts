import { FEEDBACK_FORMAT, PACKET_TYPE, type RtcpBody, type RtcpPacket } from './packets.ts';

const FEEDBACK_HEADER_BYTES = 8;
const NACK_BYTES = 4;
const FIR_BYTES = 8;

/**
 * Feedback (RFC 4585 §6.1). REMB, transport-wide congestion control and the rest are left out.
 *
 *     +---------------------------------------------------------------+
 *     |                  SSRC of the packet's sender                  |
 *     +---------------------------------------------------------------+
 *     |                    SSRC of the media source                   |
 *     +---------------------------------------------------------------+
 *     |                  feedback control information                 |
 *     +---------------------------------------------------------------+
 */
export function parseFeedback(packetType: number, { count: format, body }: RtcpBody): readonly RtcpPacket[] {
  if (body.length < FEEDBACK_HEADER_BYTES) return [];
  const senderSsrc = body.readUInt32BE(0);
  const mediaSsrc = body.readUInt32BE(4);
  const information = body.subarray(FEEDBACK_HEADER_BYTES);
  if (packetType === PACKET_TYPE.transportFeedback) {
    if (format !== FEEDBACK_FORMAT.nack) return [];
    return [{ type: 'nack', senderSsrc, mediaSsrc, sequenceNumbers: parseNack(information) }];
  }
  if (format === FEEDBACK_FORMAT.pli) return [{ type: 'pli', senderSsrc, mediaSsrc }];
  return format === FEEDBACK_FORMAT.fir ? parseFir(senderSsrc, information) : [];
}

/**
 * Generic NACK (RFC 4585 §6.2.1): a lost packet, and a bit for each of the 16 after it, the lowest for the next
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------------------------------+-------------------------------+
 *     |           packet ID           |  bitmask of following losses  |
 *     +-------------------------------+-------------------------------+
 */
function parseNack(information: Buffer): number[] {
  const sequenceNumbers: number[] = [];
  for (let offset = 0; offset + NACK_BYTES <= information.length; offset += NACK_BYTES) {
    const first = information.readUInt16BE(offset);
    sequenceNumbers.push(first);
    for (let mask = information.readUInt16BE(offset + 2), next = first + 1; mask !== 0; mask >>= 1, next++) {
      if ((mask & 1) !== 0) sequenceNumbers.push(next & 0xffff);
    }
  }
  return sequenceNumbers;
}

/**
 * FIR (RFC 5104 §4.3.1.1): the streams are named here; the header's media SSRC is zero
 *
 *     +---------------------------------------------------------------+
 *     |                              SSRC                             |
 *     +---------------+-----------------------------------------------+
 *     | command seq.  |                   reserved                    |
 *     +---------------+-----------------------------------------------+
 */
function parseFir(senderSsrc: number, information: Buffer): RtcpPacket[] {
  return Array.from({ length: Math.floor(information.length / FIR_BYTES) }, (_, index) => ({
    type: 'fir',
    senderSsrc,
    mediaSsrc: information.readUInt32BE(index * FIR_BYTES),
    commandSequenceNumber: information[index * FIR_BYTES + 4]!,
  }));
}
