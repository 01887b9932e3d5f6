import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endWords, parseReason, parseRetryAfter, refusalWords, stateWords } from './words.ts';

const REFUSALS: readonly {
  readonly status: number;
  readonly phrase: string;
  readonly retryAfterSeconds?: number;
  readonly words: string;
}[] = [
  { status: 402, phrase: 'Payment Required', words: 'There is no credit left to watch this channel.' },
  {
    status: 403,
    phrase: 'Only subscribers may watch',
    words: 'You may not watch this channel: Only subscribers may watch.',
  },
  { status: 404, phrase: 'No such channel', words: 'There is no such channel.' },
  { status: 480, phrase: 'Temporarily Unavailable', words: 'This channel is off the air.' },
  {
    status: 480,
    phrase: 'film.mp4 cannot be opened',
    words: 'This channel is off the air: film.mp4 cannot be opened.',
  },
  { status: 486, phrase: 'Busy Here', words: 'You are watching elsewhere already.' },
  {
    status: 488,
    phrase: 'not acceptable here',
    words: 'This browser and this channel have no picture format in common.',
  },
  {
    status: 503,
    phrase: 'All places are taken',
    retryAfterSeconds: 30,
    words: 'All places are taken. Try again in 30 seconds.',
  },
  { status: 503, phrase: '', retryAfterSeconds: 1, words: 'All places are taken. Try again in 1 second.' },
  { status: 503, phrase: '', retryAfterSeconds: 600, words: 'All places are taken. Try again in 10 minutes.' },
  { status: 599, phrase: '', words: 'The server has a fault.' },
  { status: 499, phrase: 'Odd', words: 'The call was refused: Odd.' },
];

for (const { status, phrase, retryAfterSeconds, words } of REFUSALS) {
  test(`${status} ${phrase} reads: ${words}`, () => {
    assert.equal(refusalWords(status, phrase, retryAfterSeconds ?? null), words);
  });
}

test('the end of a call reads as the server says it', () => {
  assert.equal(endWords({ protocol: 'SIP', cause: 480, text: 'the film has ended' }), 'The film has ended.');
  assert.equal(endWords({ protocol: 'SIP', cause: 480, text: '' }), 'This channel is off the air.');
  assert.equal(endWords(null), 'The channel hung up.');
});

test('every state has its words', () => {
  const target = 'clock';
  const words = [
    stateWords({ name: 'idle' }, ''),
    stateWords({ name: 'calling', target }, 'Clock'),
    stateWords({ name: 'connecting', target }, 'Clock'),
    stateWords({ name: 'watching', target }, 'Clock'),
    stateWords({ name: 'reconnecting', target, attempt: 3 }, 'Clock'),
    stateWords({ name: 'ended', target, words: 'The film has ended.' }, 'Clock'),
  ];
  assert.deepEqual(words, [
    'Choose a channel.',
    'Calling Clock …',
    'Connecting to Clock …',
    'Watching Clock',
    'Connection lost. Reconnecting to Clock …',
    'The film has ended.',
  ]);
});

const REASONS: readonly { readonly header: string | undefined; readonly cause: ReturnType<typeof parseReason> }[] = [
  { header: 'SIP;cause=480;text="gone"', cause: { protocol: 'SIP', cause: 480, text: 'gone' } },
  { header: ' sip ; text="say \\"hi\\""; cause=200', cause: { protocol: 'SIP', cause: 200, text: 'say "hi"' } },
  { header: 'Q.850;cause=16', cause: { protocol: 'Q.850', cause: 16, text: '' } },
  { header: 'SIP;text="no cause"', cause: null },
  { header: '', cause: null },
  { header: undefined, cause: null },
];

for (const { header, cause } of REASONS) {
  test(`the Reason header ${header} is read`, () => {
    assert.deepEqual(parseReason(header), cause);
  });
}

test('Retry-After is read with comment and parameters, and nonsense is none', () => {
  assert.equal(parseRetryAfter('30'), 30);
  assert.equal(parseRetryAfter('120 (in a meeting);duration=60'), 120);
  assert.equal(parseRetryAfter('soon'), null);
  assert.equal(parseRetryAfter(undefined), null);
});
