import { INPUT, type Input } from './input.ts';

/** What waits between the tuner and us, in packets of 188 bytes: two seconds of 20 Mb/s. */
const FIFO_PACKETS = '28672';
/** A card may take some seconds to find its multiplex; FFmpeg's unit is the microsecond. */
const TIMEOUT_US = '8000000';

/**
 * A programme of a multiplex, in MPEG-TS. The tuner turns the channel's URL into the place of loopback to which it sends
 * the programme: `dvb://127.18.52.86:40123`. The place is bound by nobody else, or this fails.
 */
export function dvbInput(url: string): Input {
  const { host, hostname } = new URL(url);
  return {
    ...INPUT,
    url: `udp://${host}?localaddr=${hostname}`,
    format: 'mpegts',
    options: { fifo_size: FIFO_PACKETS, overrun_nonfatal: '1', reuse: '0', timeout: TIMEOUT_US },
    protocols: ['udp'],
    live: true,
  };
}
