import { INPUT, type Input, TIMEOUT_US } from './input.ts';

/**
 * What a web server has: HLS, DASH, MPEG-TS, Icecast, or a file. With a duration it is a film, without one it is live.
 */
export function httpInput(url: string): Input {
  return {
    ...INPUT,
    url,
    options: { rw_timeout: TIMEOUT_US, user_agent: 'Dialcast' },
    // A playlist on the web names what is on the web, never a file of ours.
    protocols: ['http', 'https', 'httpproxy', 'tls', 'tcp', 'crypto'],
  };
}
