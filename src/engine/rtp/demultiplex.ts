export type DatagramKind = 'stun' | 'dtls' | 'rtp' | 'rtcp' | 'unknown';

const STUN_HEADER_BYTES = 20;
const DTLS_RECORD_HEADER_BYTES = 13;
const RTP_HEADER_BYTES = 12;
const RTCP_MIN_BYTES = 8;

/** What a datagram on a shared port claims to be, by its first two bytes (RFC 7983 §7). */
export function demultiplex(datagram: Uint8Array): DatagramKind {
  const first = datagram[0];
  if (first === undefined) return 'unknown';
  if (first <= 3) return datagram.length >= STUN_HEADER_BYTES ? 'stun' : 'unknown';
  if (first >= 20 && first <= 63) return datagram.length >= DTLS_RECORD_HEADER_BYTES ? 'dtls' : 'unknown';
  if (isRtcp(datagram)) return 'rtcp';
  return isRtp(datagram) ? 'rtp' : 'unknown';
}

/** RFC 5761 §4: with version 2, a second byte from 192 to 223 is an RTCP packet type. */
export function isRtcp(datagram: Uint8Array): boolean {
  return datagram.length >= RTCP_MIN_BYTES && isVersion2(datagram) && isRtcpType(datagram);
}

export function isRtp(datagram: Uint8Array): boolean {
  return datagram.length >= RTP_HEADER_BYTES && isVersion2(datagram) && !isRtcpType(datagram);
}

function isVersion2(datagram: Uint8Array): boolean {
  return datagram[0]! >> 6 === 2;
}

function isRtcpType(datagram: Uint8Array): boolean {
  return datagram[1]! >= 192 && datagram[1]! <= 223;
}
