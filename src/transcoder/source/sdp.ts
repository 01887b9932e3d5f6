import { readable } from './file.ts';
import { INPUT, type Input } from './input.ts';

/** RTP streams that a file in SDP (RFC 8866) describes. */
export function sdpInput(url: string): Input {
  const path = url.slice('sdp:'.length);
  return {
    ...INPUT,
    url: `file:${path}`,
    format: 'sdp',
    protocols: ['file', 'rtp', 'srtp', 'udp'],
    live: true,
    check: () => readable(path),
  };
}
