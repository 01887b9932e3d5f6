import type { ReportBlock } from './packets.ts';

/**
 * The time from us to the receiver and back, in milliseconds (RFC 3550 §6.4.1): now, minus when the report heard last
 * was sent, minus how long the receiver held it. Null when it heard none yet or its figures cannot be true.
 */
export function roundTripMs(
  report: Pick<ReportBlock, 'lastSenderReport' | 'delaySinceLastSenderReport'>,
  nowNtp: bigint,
): number | null {
  if (report.lastSenderReport === 0) return null;
  const now = Number(BigInt.asUintN(32, nowNtp >> 16n));
  // Signed 32 bits: the clock wraps every 18 hours, and rounding may make a very short way negative by one unit.
  const units = (now - report.lastSenderReport - report.delaySinceLastSenderReport) | 0;
  return units < -1 ? null : (Math.max(0, units) * 1000) / 65_536;
}
