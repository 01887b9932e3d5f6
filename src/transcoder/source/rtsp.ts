import { INPUT, type Input, splitFragment, TIMEOUT_US } from './input.ts';

/** Cameras and servers (RFC 7826 and its forerunner): over TCP, which every firewall lets through, or `#transport=udp`. */
export function rtspInput(source: string): Input {
  const { url, settings } = splitFragment(source);
  const transport = settings.get('transport') ?? 'tcp';
  return {
    ...INPUT,
    url,
    options: { rtsp_transport: transport, timeout: TIMEOUT_US },
    protocols: ['rtsp', 'rtsps', 'rtp', 'srtp', 'udp', 'tcp', 'tls'],
    live: true,
  };
}
