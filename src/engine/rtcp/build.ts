import { PACKET_TYPE, SDES_ITEM } from './packets.ts';

/** What a sender report says (RFC 3550 §6.4.1). */
export interface SenderInfo {
  readonly ssrc: number;
  /** 64-bit NTP timestamp of the same moment as `timestamp`. */
  readonly ntp: bigint;
  /** On the stream's RTP clock, with the stream's own offset. */
  readonly timestamp: number;
  /** Written modulo 2^32, as RFC 3550 wants. */
  readonly packetsSent: number;
  readonly octetsSent: number;
}

const HEADER_BYTES = 4;
const SENDER_REPORT_BYTES = 28;
const EMPTY_RECEIVER_REPORT_BYTES = 8;
const BYE_BYTES = 8;

/** A compound of SR and SDES with the CNAME, which has at most 255 octets. */
export function buildSenderReport(info: SenderInfo, cname: string): Buffer {
  const compound = Buffer.alloc(SENDER_REPORT_BYTES + sourceDescriptionBytes(cname));
  writeHeader(compound, 0, 0, PACKET_TYPE.senderReport, SENDER_REPORT_BYTES);
  compound.writeUInt32BE(info.ssrc, 4);
  compound.writeBigUInt64BE(info.ntp, 8);
  compound.writeUInt32BE(info.timestamp, 16);
  compound.writeUInt32BE(info.packetsSent % 2 ** 32, 20);
  compound.writeUInt32BE(info.octetsSent % 2 ** 32, 24);
  writeSourceDescription(compound, SENDER_REPORT_BYTES, info.ssrc, cname);
  return compound;
}

/** A compound of an empty RR (RFC 3550 §6.1: a report comes first), SDES and BYE. */
export function buildBye(ssrc: number, cname: string): Buffer {
  const byeOffset = EMPTY_RECEIVER_REPORT_BYTES + sourceDescriptionBytes(cname);
  const compound = Buffer.alloc(byeOffset + BYE_BYTES);
  writeHeader(compound, 0, 0, PACKET_TYPE.receiverReport, EMPTY_RECEIVER_REPORT_BYTES);
  compound.writeUInt32BE(ssrc, HEADER_BYTES);
  writeSourceDescription(compound, EMPTY_RECEIVER_REPORT_BYTES, ssrc, cname);
  writeHeader(compound, byeOffset, 1, PACKET_TYPE.goodbye, BYE_BYTES);
  compound.writeUInt32BE(ssrc, byeOffset + HEADER_BYTES);
  return compound;
}

/** Header, SSRC, item type and length, text, then at least one octet of zero up to a multiple of four. */
function sourceDescriptionBytes(cname: string): number {
  return 4 * Math.ceil((HEADER_BYTES + 4 + 2 + Buffer.byteLength(cname) + 1) / 4);
}

/** One chunk with one item. The buffer is zero where nothing is written. */
function writeSourceDescription(compound: Buffer, offset: number, ssrc: number, cname: string): void {
  writeHeader(compound, offset, 1, PACKET_TYPE.sourceDescription, sourceDescriptionBytes(cname));
  compound.writeUInt32BE(ssrc, offset + 4);
  compound.writeUInt8(SDES_ITEM.cname, offset + 8);
  compound.writeUInt8(Buffer.byteLength(cname), offset + 9);
  compound.write(cname, offset + 10);
}

function writeHeader(compound: Buffer, offset: number, count: number, packetType: number, bytes: number): void {
  compound.writeUInt8(0x80 | count, offset);
  compound.writeUInt8(packetType, offset + 1);
  compound.writeUInt16BE(bytes / 4 - 1, offset + 2);
}
