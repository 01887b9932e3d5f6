import { Request, type Response } from './message.ts';
import { isRegisteredMethod } from './methods.ts';
import { splitUnquoted } from './parameters.ts';

type Check<T> = (message: T) => boolean;

/** Headers without which there is no transaction (RFC 3261 §8.1.1). */
const MANDATORY = ['via', 'from', 'to', 'call-id', 'cseq'] as const;

/** Headers whose values are read in whole or not at all. The first that does not hold is the one that is told. */
const OF_MESSAGES: readonly (readonly [fault: string, holds: Check<Request | Response>])[] = [
  ...MANDATORY.map(name => [`No ${name}`, (message: Request | Response) => message.get(name) !== null] as const),
  ['Bad via', message => message.via !== null],
  ['Bad from', message => message.from !== null],
  ['Bad to', message => message.to !== null],
  ['Bad cseq', message => message.cseq !== null],
  ['Bad content-length', message => /^\d{1,9}$/.test(message.get('content-length') ?? '0')],
];

const OF_REQUESTS: readonly (readonly [fault: string, holds: Check<Request>])[] = [
  ['Bad via', request => isSeparated(request, 'via')],
  ['Bad contact', request => isSeparated(request, 'contact')],
  // §20.22: 0 to 255.
  ['Bad max-forwards', request => isUpTo255(request.get('max-forwards') ?? '70')],
  // §8.2.1 comes first: whoever does not know a method can't say what belongs to it (RFC 4475 §3.1.2.18).
  [
    'CSeq has another method',
    request => request.cseq?.method === request.method || !isRegisteredMethod(request.method),
  ],
];

/** Why the message can't be what it says it is, or null. */
export function headerFault(message: Request | Response): string | null {
  for (const [fault, holds] of OF_MESSAGES) if (!holds(message)) return fault;
  if (message instanceof Request) for (const [fault, holds] of OF_REQUESTS) if (!holds(message)) return fault;
  return null;
}

/** Where there is no such place, there is nothing to cut apart. */
const NOTHING_BETWEEN = /(?:^|[,;])\s*(?:[,;]|$)/;

/** No comma and no semicolon without something after it (RFC 4475 §3.1.2.1). */
function isSeparated(request: Request, name: string): boolean {
  return request.headers.every(([header, value]) => header !== name || isSeparatedValue(value));
}

function isSeparatedValue(value: string): boolean {
  if (!NOTHING_BETWEEN.test(value)) return true;
  return splitUnquoted(value, ',').every(piece => splitUnquoted(piece, ';').every(Boolean));
}

function isUpTo255(text: string): boolean {
  return /^\d{1,9}$/.test(text) && Number(text) <= 255;
}
