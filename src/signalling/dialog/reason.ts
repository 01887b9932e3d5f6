import { type Header, parseParameters, splitUnquoted } from '../message/index.ts';
import type { EndCause } from '../types.ts';

const PROTOCOLS: ReadonlyMap<string, EndCause['protocol']> = new Map([
  ['sip', 'SIP'],
  ['q.850', 'Q.850'],
]);

/** RFC 3326. */
export function reasonHeader({ protocol, cause, text }: EndCause): Header {
  const quoted = text.replace(/[\r\n\0]+/g, ' ').replace(/[\\"]/g, '\\$&');
  return ['reason', `${protocol};cause=${cause};text="${quoted}"`];
}

/** The first of the values whose protocol and cause we know; null when there is none. */
export function parseReason(values: readonly string[]): EndCause | null {
  for (const value of values) {
    const [name, ...rest] = splitUnquoted(value, ';');
    const protocol = PROTOCOLS.get(name!.toLowerCase());
    const parameters = parseParameters(rest.join(';'));
    const cause = parameters.get('cause') ?? '';
    if (protocol === undefined || !/^\d{1,3}$/.test(cause)) continue;
    return { protocol, cause: Number(cause), text: parameters.get('text') ?? '' };
  }
  return null;
}
