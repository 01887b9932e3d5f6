import { INPUT, type Input, splitFragment, TIMEOUT_US } from './input.ts';

/**
 * Cameras and servers (RFC 2326): the media come over TCP, which every firewall lets through, or in datagrams when the
 * server knows nothing else. `#transport=udp` or `#transport=tcp` leaves no choice.
 */
export function rtspInput(source: string): Input {
  const { url, settings } = splitFragment(source);
  const transport = settings.get('transport');
  return {
    ...INPUT,
    url,
    options: {
      timeout: TIMEOUT_US,
      ...(transport === null ? { rtsp_flags: 'prefer_tcp' } : { rtsp_transport: transport }),
    },
    protocols: ['rtsp', 'rtsps', 'rtp', 'srtp', 'udp', 'tcp', 'tls'],
    live: true,
  };
}
