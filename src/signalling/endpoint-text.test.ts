import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Header, type Request, type Response, serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from './testing.ts';
import type { Rejection, SignallingHandlers, TextMessage } from './types.ts';

const PLAIN: Header = ['content-type', 'Text/Plain; charset=utf-8'];

let flow: FakeFlow;
let endpoint: SignallingEndpoint;
let texts: TextMessage[];
let rejection: Rejection | null;

function newEndpoint(handlers: Partial<SignallingHandlers>): void {
  const clock = new FakeClock();
  flow = new FakeFlow(clock);
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: { invite: call => call.accept('answer'), ...handlers },
  });
}

beforeEach(() => {
  texts = [];
  rejection = null;
  newEndpoint({
    message: text => {
      texts.push(text);
      return rejection;
    },
  });
});

function exchange(request: Request): Response | undefined {
  endpoint.receive(flow, serialise(request));
  return flow.take().at(-1) as Response | undefined;
}

describe('MESSAGE (RFC 3428)', () => {
  test('is handed on with who wrote it, and answered 200', () => {
    const response = exchange(makeRequest('MESSAGE', { headers: [PLAIN], body: 'Grüße' }));
    assert.equal(response?.status, 200);
    assert.ok(response.toTag);
    const from = { uri: 'sip:ann@example.org', user: 'ann', displayName: 'Ann' };
    assert.deepEqual(texts, [{ target: 'news', from, text: 'Grüße' }]);
  });

  test('that nobody takes is answered as its reader says', () => {
    rejection = { status: 480, reason: 'Not now', retryAfterSeconds: 60 };
    const response = exchange(makeRequest('MESSAGE', { headers: [PLAIN], body: 'hello' }));
    assert.deepEqual([response?.status, response?.reason, response?.get('retry-after')], [480, 'Not now', '60']);
  });

  for (const [name, headers] of [
    ['in another format', [['content-type', 'text/html']]],
    [
      'in another encoding',
      [
        ['content-type', 'text/plain'],
        ['content-encoding', 'gzip'],
      ],
    ],
  ] as const) {
    test(`${name} is answered 415, with the one that will do`, () => {
      const response = exchange(makeRequest('MESSAGE', { headers, body: '<p>' }));
      assert.deepEqual([response?.status, response?.get('accept'), texts], [415, 'text/plain', []]);
    });
  }

  test('in a call is handed on as well', () => {
    const to = exchange(makeInvite())?.get('to') ?? '';
    const response = exchange(makeRequest('MESSAGE', { to, sequence: 2, headers: [PLAIN], body: 'hello' }));
    assert.deepEqual([response?.status, texts.length], [200, 1]);
    const late = makeRequest('MESSAGE', { to, sequence: 1, branch: 'z9hG4bK-late', headers: [PLAIN], body: 'hello' });
    assert.deepEqual([exchange(late)?.status, texts.length], [500, 1]);
  });

  test('is taken where nobody reads', () => {
    newEndpoint({});
    assert.equal(exchange(makeRequest('MESSAGE', { headers: [PLAIN], body: 'hello' }))?.status, 200);
  });
});
