export { ntpTimestamp, rtpTimestamp, unixUs } from './clock.ts';
export { type DatagramKind, demultiplex, isRtcp, isRtp } from './demultiplex.ts';
export { parseRtpHeader, type RtpHeader } from './header.ts';
export { isNewer, sequenceDistance } from './sequence.ts';
