import { INPUT, type Input, TIMEOUT_US } from './input.ts';

/** MPEG-TS over RTP (RFC 2250), sent to us or to a multicast group. What is not MPEG-TS needs an `sdp:` that says what it is. */
export function rtpInput(url: string): Input {
  return { ...INPUT, url, options: { timeout: TIMEOUT_US, reuse: '1' }, protocols: ['rtp', 'udp'], live: true };
}
