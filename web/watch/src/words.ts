import type { CallState } from './call-machine.ts';

/** RFC 3326 Reason header. */
export interface EndCause {
  readonly protocol: string;
  readonly cause: number;
  readonly text: string;
}

/** Phrases that RFC 3261 gives to the statuses below; they say nothing that our words don't. */
const RFC_PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  480: 'Temporarily Unavailable',
  486: 'Busy Here',
  488: 'Not Acceptable Here',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
  600: 'Busy Everywhere',
  603: 'Decline',
};

const WORDS: Readonly<Record<number, string>> = {
  400: 'The server did not understand this browser',
  401: 'Please sign in to watch this channel',
  402: 'There is no credit left to watch this channel',
  403: 'You may not watch this channel',
  404: 'There is no such channel',
  407: 'Please sign in to watch this channel',
  408: 'The server did not answer in time',
  410: 'This channel is no more',
  480: 'This channel is off the air',
  486: 'You are watching elsewhere already',
  487: 'The call was cancelled',
  488: 'This browser and this channel have no picture format in common',
  500: 'The server has a fault',
  503: 'All places are taken',
  600: 'You are watching elsewhere already',
  603: 'The channel refused the call',
};

/** Why a call was refused (RFC 3261 §21), for people. A reason that the server gives in words of its own is added. */
export function refusalWords(status: number, phrase: string, retryAfterSeconds: number | null): string {
  const words = WORDS[status] ?? (status >= 500 ? WORDS[500]! : 'The call was refused');
  const detail = isTelling(status, phrase) ? `: ${phrase}` : '';
  const again = retryAfterSeconds === null ? '' : ` Try again in ${seconds(retryAfterSeconds)}.`;
  return `${sentence(words + detail)}${again}`;
}

/** Why a running call was ended by the other side. */
export function endWords(cause: EndCause | null): string {
  if (cause === null || cause.text === '') return cause?.cause === 480 ? sentence(WORDS[480]!) : 'The channel hung up.';
  return sentence(cause.text);
}

/** The state of a call in words, as a screen reader should say it. */
export function stateWords(state: CallState, title: string): string {
  switch (state.name) {
    case 'idle':
      return 'Choose a channel.';
    case 'calling':
      return `Calling ${title} …`;
    case 'connecting':
      return `Connecting to ${title} …`;
    case 'watching':
      return `Watching ${title}`;
    case 'reconnecting':
      return `Connection lost. Reconnecting to ${title} …`;
    case 'ended':
      return state.words;
  }
}

/** Reads a Reason header such as `SIP;cause=480;text="the film has ended"`; null when it is not one. */
export function parseReason(header: string | undefined): EndCause | null {
  const [, protocol, parameters = ''] = header?.match(/^\s*([\w.]+)\s*(;.*)?$/s) ?? [];
  const cause = parameters.match(/;\s*cause\s*=\s*(\d{1,6})/i)?.[1];
  if (protocol === undefined || cause === undefined) return null;
  const text = parameters.match(/;\s*text\s*=\s*"((?:[^"\\]|\\.)*)"/is)?.[1] ?? '';
  return { protocol: protocol.toUpperCase(), cause: Number(cause), text: text.replaceAll(/\\(.)/gs, '$1') };
}

/** Reads a Retry-After header (RFC 3261 §20.33), which may carry a comment and parameters. */
export function parseRetryAfter(header: string | undefined): number | null {
  const digits = header?.match(/^\s*(\d{1,6})\b/)?.[1];
  return digits === undefined ? null : Number(digits);
}

function isTelling(status: number, phrase: string): boolean {
  const same = (other: string | undefined) => other?.toLowerCase() === phrase.toLowerCase();
  return phrase !== '' && !same(RFC_PHRASES[status]) && !same(WORDS[status]) && status !== 404;
}

function sentence(words: string): string {
  const trimmed = words.trim();
  const closed = /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return closed.charAt(0).toUpperCase() + closed.slice(1);
}

function seconds(count: number): string {
  if (count < 120) return count === 1 ? '1 second' : `${count} seconds`;
  return `${Math.ceil(count / 60)} minutes`;
}
