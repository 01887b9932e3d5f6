/** Seconds from the NTP era's start in 1900 to the Unix epoch (RFC 5905 §6). */
const NTP_UNIX_OFFSET_S = 2_208_988_800n;
const US_PER_S = 1_000_000n;

/** Unix time in microseconds as a 64-bit NTP timestamp: seconds since 1900 modulo 2^32, then 32 bits of fraction. */
export function ntpTimestamp(timeUs: bigint): bigint {
  const seconds = timeUs / US_PER_S + NTP_UNIX_OFFSET_S;
  const fraction = ((timeUs % US_PER_S) << 32n) / US_PER_S;
  return BigInt.asUintN(64, (seconds << 32n) | fraction);
}

/**
 * The reverse of {@link ntpTimestamp}, to the nearest microsecond. A first bit of 0 is read as the era that begins in
 * 2036 (RFC 4330 §3).
 */
export function unixUs(ntp: bigint): bigint {
  const era = ntp >> 63n === 0n ? 1n << 32n : 0n;
  const seconds = (ntp >> 32n) + era - NTP_UNIX_OFFSET_S;
  const fraction = BigInt.asUintN(32, ntp);
  return seconds * US_PER_S + ((fraction * US_PER_S + (1n << 31n)) >> 32n);
}

/** Unix time in microseconds on an RTP clock: modulo 2^32, so that audio and video share one line of time. */
export function rtpTimestamp(timeUs: bigint, clockRateHz: number): number {
  return Number(BigInt.asUintN(32, (timeUs * BigInt(clockRateHz)) / US_PER_S));
}
