import { INPUT, type Input, splitFragment, TIMEOUT_US } from './input.ts';

/**
 * A stream that is fetched from a server; with `#listen` we are the server, and an encoder such as OBS pushes to this
 * address and path.
 */
export function rtmpInput(source: string): Input {
  const { url, settings } = splitFragment(source);
  const listens = settings.has('listen');
  return {
    ...INPUT,
    url,
    format: 'flv',
    options: listens ? { listen: '1', rtmp_live: 'live' } : { rtmp_live: 'live', rw_timeout: TIMEOUT_US },
    protocols: ['rtmp', 'rtmps', 'tcp', 'tls'],
    live: true,
    listens,
  };
}
