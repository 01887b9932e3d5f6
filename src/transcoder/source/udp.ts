import { INPUT, type Input, TIMEOUT_US } from './input.ts';

/** What waits between the network and us, in packets of 188 bytes: two seconds of 20 Mb/s. */
const FIFO_PACKETS = '28672';

/** MPEG-TS in bare datagrams, sent to us or to a multicast group: `udp://239.0.0.1:5000?localaddr=192.0.2.1`. */
export function udpInput(url: string): Input {
  return {
    ...INPUT,
    url,
    format: 'mpegts',
    options: { fifo_size: FIFO_PACKETS, overrun_nonfatal: '1', reuse: '1', timeout: TIMEOUT_US },
    protocols: ['udp'],
    live: true,
  };
}
