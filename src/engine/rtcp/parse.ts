import { parseFeedback } from './feedback.ts';
import { PACKET_TYPE, type RtcpBody, type RtcpPacket } from './packets.ts';
import { parseReceiverReport, parseSenderReport } from './reports.ts';
import { parseSourceDescription } from './source-description.ts';

/** A compound fits one datagram of any usual path; what is longer is not read, so that a NACK's list stays small. */
export const MAX_COMPOUND_BYTES = 2048;

const PARSERS: { readonly [packetType: number]: (packet: RtcpBody) => readonly RtcpPacket[] } = {
  [PACKET_TYPE.senderReport]: parseSenderReport,
  [PACKET_TYPE.receiverReport]: parseReceiverReport,
  [PACKET_TYPE.sourceDescription]: parseSourceDescription,
  [PACKET_TYPE.goodbye]: parseBye,
  [PACKET_TYPE.application]: parseApplication,
  [PACKET_TYPE.transportFeedback]: packet => parseFeedback(PACKET_TYPE.transportFeedback, packet),
  [PACKET_TYPE.payloadFeedback]: packet => parseFeedback(PACKET_TYPE.payloadFeedback, packet),
};

/**
 * Reads a compound packet, or a reduced-size one (RFC 5506). A datagram whose lengths do not add up is no RTCP
 * (RFC 3550 §A.2) and gives nothing; in one that is, packets that are unknown or too short for their type are left out.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---+-+---------+---------------+-------------------------------+
 *     |V=2|P|  count  |  packet type  | length in words, minus one    |
 *     +---+-+---------+---------------+-------------------------------+
 *     |                  body; with P=1 its last octet                |
 *     |                  says how many octets of it are padding       |
 *     +---------------------------------------------------------------+
 */
export function parseCompound(compound: Buffer): readonly RtcpPacket[] {
  if (compound.length > MAX_COMPOUND_BYTES) return [];
  const packets: RtcpPacket[] = [];
  let offset = 0;
  while (offset < compound.length) {
    if (compound.length - offset < 4) return [];
    const first = compound[offset]!;
    const end = offset + 4 + 4 * compound.readUInt16BE(offset + 2);
    if (first >> 6 !== 2 || end > compound.length) return [];
    let body = compound.subarray(offset + 4, end);
    if ((first & 0x20) !== 0) {
      const padding = body.at(-1) ?? 0;
      if (end !== compound.length || padding === 0 || padding > body.length) return [];
      body = body.subarray(0, -padding);
    }
    const parse = PARSERS[compound[offset + 1]!];
    if (parse !== undefined) packets.push(...parse({ count: first & 0x1f, body }));
    offset = end;
  }
  return packets;
}

/**
 * BYE (RFC 3550 §6.6)
 *
 *     +---------------------------------------------------------------+
 *     |                    SSRC, count times                          |
 *     +---------------+-----------------------------------------------+
 *     |    length     |     optional reason for leaving               |
 *     +---------------+-----------------------------------------------+
 */
function parseBye({ count, body }: RtcpBody): readonly RtcpPacket[] {
  if (body.length < 4 * count) return [];
  return [{ type: 'bye', ssrcs: Array.from({ length: count }, (_, index) => body.readUInt32BE(4 * index)) }];
}

/**
 * APP (RFC 3550 §6.7)
 *
 *     +---------------------------------------------------------------+
 *     |                              SSRC                             |
 *     +---------------------------------------------------------------+
 *     |                    name, four ASCII letters                   |
 *     +---------------------------------------------------------------+
 *     |                              data                             |
 *     +---------------------------------------------------------------+
 */
function parseApplication({ count, body }: RtcpBody): readonly RtcpPacket[] {
  if (body.length < 8) return [];
  return [
    {
      type: 'application',
      ssrc: body.readUInt32BE(0),
      subtype: count,
      name: body.toString('latin1', 4, 8),
      data: body.subarray(8),
    },
  ];
}
