/** Everything that Dialcast can tell an operator has a code here; docs/errors.md is generated from this table. */

export interface ErrorEntry {
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** What the operator can do about it. */
  readonly remedy: string;
}

export const ERRORS = {
  CONFIG_UNREADABLE: {
    meaning: 'The configuration file cannot be read or is not YAML.',
    remedy: 'Check the path and the permissions; the message gives the line and column of a syntax fault.',
  },
  CONFIG_INVALID: {
    meaning: 'A key of the configuration has a value that is not allowed.',
    remedy: 'The message names the key, what is wrong with it and what to write instead.',
  },
  LISTEN_FAILED: {
    meaning: 'A socket cannot be opened at the configured address and port.',
    remedy: 'Stop the program that holds the port, or configure another one (0 picks a free one).',
  },
  NATIVE_MISSING: {
    meaning: 'The native add-on is not built, or was built for another Node version.',
    remedy: 'Run `npm run build`; it needs a C++ compiler.',
  },
  SOURCE_UNSUPPORTED: {
    meaning: 'No source kind handles this source URL.',
    remedy: 'Use one of the kinds in docs/sources.md.',
  },
  SOURCE_OPEN_FAILED: {
    meaning: 'The source of a channel cannot be opened.',
    remedy: 'The log names the channel and the fault; docs/sources.md has an example of each kind.',
  },
  SOURCE_ENDED: {
    meaning: 'A film that does not loop has come to its end.',
    remedy: 'Nothing is wrong; set `loop: true` to have it start again.',
  },
  CACHE_UNUSABLE: {
    meaning: 'The folder in which prepared films are kept cannot be used.',
    remedy: 'Make `cache.folder` a folder that Dialcast may write to, on a disk with room.',
  },
  ENGINE_STOPPED: {
    meaning: 'The media engine’s thread has ended unexpectedly.',
    remedy: 'Restart Dialcast and report the stack in the log.',
  },
  RTP_PORTS_EXHAUSTED: {
    meaning: 'Every port pair for plain RTP is in use.',
    remedy: 'Widen `media.rtpPorts`, or lower `limits.viewers`.',
  },
  TRANSCODER_FAILED: {
    meaning: 'The transcoder process of a channel ended unexpectedly, again and again.',
    remedy: 'The log has its last lines; check the source and the machine’s memory.',
  },
  GUIDE_UNREADABLE: {
    meaning: 'A playlist or a programme guide cannot be read.',
    remedy: 'The log has the reason; what was read before stays in use, and it is tried again by itself.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code from {@link ERRORS} and a detail that names the thing concerned. */
export class DialcastError extends Error {
  readonly code: ErrorCode;
  /** The detail alone, without meaning or code; fit for a SIP reason phrase or an API answer. */
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.name = 'DialcastError';
    this.code = code;
    this.detail = detail;
  }
}
