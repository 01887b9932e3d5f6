import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { authorization, FakeClock, type LoginParts, makeRequest, memoryCredentials } from '../testing.ts';
import { type Authentication, Authenticator } from './authenticator.ts';

const SOURCE = '192.0.2.7';
const URI = 'sip:example.org';

let clock: FakeClock;
let authenticator: Authenticator;
beforeEach(() => {
  clock = new FakeClock();
  const credentials = memoryCredentials({ ann: 'secret' });
  authenticator = new Authenticator({ key: Buffer.alloc(32, 7), clock, realm: 'example.org', credentials });
});

function ask(value?: string, source = SOURCE, method = 'REGISTER'): Authentication {
  const headers = value === undefined ? [] : ([['authorization', value]] as const);
  return authenticator.authenticate(makeRequest(method, { uri: URI, headers }), source);
}

/** The challenges of an answer. */
function challenges(answer: Authentication): readonly string[] {
  assert.equal(answer.result, 'challenged');
  return answer.headers.map(([, value]) => value);
}

const login = (parts: LoginParts = {}) =>
  authorization(challenges(ask())[0]!, { method: 'REGISTER', uri: URI, user: 'ann', password: 'secret', ...parts });

test('who has no credentials is asked for them, with SHA-256 before MD5', () => {
  clock.advanceTo(1);
  const answer = ask();
  assert.equal(answer.result === 'challenged' && answer.failed, false);
  const [nonce] = /(?<=nonce=")[^"]+/.exec(challenges(answer)[0]!)!;
  assert.deepEqual(answer.result === 'challenged' && answer.headers, [
    ['www-authenticate', `Digest realm="example.org", nonce="${nonce}", algorithm=SHA-256, qop="auth"`],
    ['www-authenticate', `Digest realm="example.org", nonce="${nonce}", algorithm=MD5, qop="auth"`],
  ]);
});

describe('the right password is accepted', () => {
  for (const [name, parts] of [
    ['with SHA-256', {}],
    ['with MD5', { algorithm: 'MD5' }],
    ['without an algorithm, which is MD5', { algorithm: 'MD5', omit: 'algorithm' }],
    ['without a quality', { quality: false }],
    ['with a URI that a proxy has rewritten', { uri: 'sip:192.0.2.1:5060' }],
  ] as const) {
    test(name, () => assert.deepEqual(ask(login(parts)), { result: 'accepted', user: 'ann' }));
  }

  test('beside credentials for another realm', () => {
    const request = makeRequest('REGISTER', {
      uri: URI,
      headers: [
        ['authorization', 'Digest realm="example.com", nonce="x"'],
        ['authorization', login()],
      ],
    });
    assert.equal(authenticator.authenticate(request, SOURCE).result, 'accepted');
  });

  test('several times with one nonce, while the count rises', () => {
    const [challenge] = challenges(ask());
    for (const count of [1, 2, 3]) {
      const value = authorization(challenge!, { method: 'REGISTER', uri: URI, user: 'ann', password: 'secret', count });
      assert.equal(ask(value).result, 'accepted');
    }
  });
});

describe('credentials that fail', () => {
  for (const [name, parts, source] of [
    ['for a wrong password', { password: 'Secret' }, SOURCE],
    ['for an unknown user', { user: 'bob' }, SOURCE],
    ['for another method', { method: 'INVITE' }, SOURCE],
    ['for a user whose name has other case', { user: 'Ann' }, SOURCE],
    ['for a short response', { omit: 'half the response' }, SOURCE],
  ] as const) {
    test(name, () => {
      const answer = ask(login(parts), source);
      assert.equal(answer.result === 'challenged' && answer.failed, true);
      assert.ok(challenges(answer).every(challenge => !challenge.includes('stale')));
    });
  }
});

describe('credentials are stale and were not looked at', () => {
  const isStale = (answer: Authentication) => {
    assert.equal(answer.result === 'challenged' && answer.failed, false);
    return challenges(answer).every(challenge => challenge.endsWith(', stale=true'));
  };

  for (const password of ['secret', 'wrong']) {
    test(`when their nonce is too old (${password} password)`, () => {
      const value = login({ password });
      clock.advance(300_000);
      assert.ok(isStale(ask(value)));
    });

    test(`when their nonce is somebody else's (${password} password)`, () => {
      assert.ok(isStale(ask(login({ password }), '192.0.2.8')));
    });
  }

  test('when they come again', () => {
    const value = login();
    assert.equal(ask(value).result, 'accepted');
    assert.ok(isStale(ask(value)));
  });

  test('when a nonce that was used without a count comes with one', () => {
    const [challenge] = challenges(ask());
    const parts = { method: 'REGISTER', uri: URI, user: 'ann', password: 'secret' };
    assert.equal(ask(authorization(challenge!, { ...parts, quality: false })).result, 'accepted');
    assert.ok(isStale(ask(authorization(challenge!, { ...parts, count: 0xffff_ffff }))));
    assert.ok(isStale(ask(authorization(challenge!, { ...parts, quality: false }))));
  });
});

test('credentials for another realm alone are none', () => {
  const answer = ask(login().replace('realm="example.org"', 'realm="example.com"'));
  assert.equal(answer.result === 'challenged' && answer.failed, false);
});

for (const [name, change, reason] of [
  ['lack something', (value: string) => value.replace('cnonce=', 'c='), 'Bad Authorization'],
  [
    'are for another user of ours',
    (value: string) => value.replace(URI, 'sip:news@example.org'),
    'Authorization has another URI',
  ],
  ['are for no URI', (value: string) => value.replace(URI, 'news'), 'Authorization has another URI'],
] as const) {
  test(`credentials that ${name} are malformed`, () => {
    assert.deepEqual(ask(change(login())), { result: 'malformed', reason });
  });
}

test('an algorithm that is not offered is not accepted', () => {
  const value = login({ algorithm: 'MD5' });
  const credentials = memoryCredentials({ ann: 'secret' });
  const options = { key: Buffer.alloc(32, 7), clock, realm: 'example.org', credentials };
  authenticator = new Authenticator({ ...options, algorithms: ['SHA-256'] });
  assert.equal(challenges(ask()).length, 1);
  assert.deepEqual(ask(value), { result: 'malformed', reason: 'Bad Authorization' });
  assert.equal(ask(login()).result, 'accepted');
});
