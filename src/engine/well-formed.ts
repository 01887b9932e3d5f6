import { EFFORTS, HARDWARE_KINDS, MOST_REASON_CHARACTERS, type TranscoderMessage } from '../transcoder/wire.ts';

type Check = (value: unknown) => boolean;

const MOST_RENDITIONS = 1_000;
const MOST_LANGUAGES = 1_000;
const MOST_SKIPPED = 10_000;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isNumber: Check = value => Number.isFinite(value);
const isText = (most: number): Check => {
  return value => typeof value === 'string' && value.length <= most;
};
const isWord = isText(100);
const isReason = isText(MOST_REASON_CHARACTERS);
const isOneOf = (words: readonly string[]): Check => {
  return value => typeof value === 'string' && words.includes(value);
};
const isListOf = (check: Check, most: number): Check => {
  return value => Array.isArray(value) && value.length <= most && value.every(check);
};
const optional = (check: Check): Check => {
  return value => value === undefined || check(value);
};
const nullOr = (check: Check): Check => {
  return value => value === null || check(value);
};
const has = (checks: Readonly<Record<string, Check>>): Check => {
  return value => isObject(value) && Object.entries(checks).every(([key, check]) => check(value[key]));
};

const VERDICT = {
  passThrough: optional(has({ codec: isWord, profile: optional(isWord), levelIdc: optional(isNumber) })),
  obstacle: optional(isReason),
};
const LANGUAGES = has({
  audio: nullOr(isWord),
  subtitles: nullOr(isWord),
  available: has({ audio: isListOf(isWord, MOST_LANGUAGES), subtitles: isListOf(isWord, MOST_LANGUAGES) }),
});
const INFO = has({
  video: nullOr(has({ width: isNumber, height: isNumber, frameRate: isNumber, ...VERDICT })),
  audio: nullOr(has({ sampleRateHz: isNumber, channels: isNumber, ...VERDICT })),
  languages: optional(LANGUAGES),
  skipped: optional(isListOf(has({ item: isText(MOST_REASON_CHARACTERS), reason: isReason }), MOST_SKIPPED)),
});

const STATES: Readonly<Record<string, Check>> = {
  open: has({ info: INFO }),
  failed: has({ reason: isReason }),
  out: has({ reason: isReason }),
  ended: () => true,
};

const MESSAGES: Readonly<Record<TranscoderMessage['type'], Check>> = {
  hello: has({ channel: isWord, token: isWord }),
  source: message => {
    const { state } = message as { state?: unknown };
    return typeof state === 'string' && Object.hasOwn(STATES, state) && STATES[state]!(message);
  },
  thumbnail: has({ jpeg: isText(Number.POSITIVE_INFINITY) }),
  stats: has({
    renditions: isListOf(has({ id: isNumber }), MOST_RENDITIONS),
    encoders: has({ video: isNumber, audio: isNumber }),
  }),
  encoding: has({
    encoding: has({ effort: isOneOf(EFFORTS), hardware: nullOr(isOneOf(HARDWARE_KINDS)), fault: optional(isReason) }),
  }),
  frame: () => true,
};

/** Is this what the protocol has it be: a process that a hostile source got into can say anything. */
export function isWellFormed(message: { readonly type: unknown }): message is TranscoderMessage {
  const { type } = message;
  return (
    typeof type === 'string' && Object.hasOwn(MESSAGES, type) && MESSAGES[type as TranscoderMessage['type']](message)
  );
}
