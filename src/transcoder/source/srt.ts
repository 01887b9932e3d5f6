import { INPUT, type Input, TIMEOUT_US } from './input.ts';

/** MPEG-TS over SRT, as caller or, with `?mode=listener`, as listener; what else libsrt knows goes into the query too. */
export function srtInput(url: string): Input {
  const listens = /[?&]mode=listener(&|$)/.test(url);
  return {
    ...INPUT,
    url,
    format: 'mpegts',
    options: listens ? {} : { connect_timeout: '5000', timeout: TIMEOUT_US },
    protocols: ['srt'],
    live: true,
    listens,
  };
}
