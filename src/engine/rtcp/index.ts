export { buildBye, buildSenderReport, type SenderInfo } from './build.ts';
export type { ReportBlock, RtcpPacket } from './packets.ts';
export { MAX_COMPOUND_BYTES, parseCompound } from './parse.ts';
export { roundTripMs } from './round-trip.ts';
