import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DIGEST_VECTORS } from '../../../test/vectors/digest.ts';
import { type Header, Response } from '../message/index.ts';
import { digestParameters, parseDigestAnswer } from './digest.ts';
import { DigestClient } from './digest-client.ts';

const challenge = (...values: string[]) =>
  new Response(
    401,
    'Unauthorized',
    values.map((value): Header => ['www-authenticate', value]),
  );

for (const { origin, password, method, authorization, response } of DIGEST_VECTORS) {
  test(`the answer of ${origin}`, () => {
    const answer = parseDigestAnswer(authorization)!;
    const parameters = digestParameters(authorization.replace(/^Digest /, ''));
    const client = new DigestClient({ user: answer.username, password }, () => parameters.get('cnonce')!);
    const { realm, nonce, algorithm, uri } = answer;
    const offered = `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth, auth-int"`;
    assert.ok(client.take(challenge(`${offered}, opaque="${parameters.get('opaque')}"`)));
    const [name, value] = client.authorization({ method, uri })!;
    assert.equal(name, 'authorization');
    assert.equal(parseDigestAnswer(value)?.response, response);
    assert.equal(digestParameters(value).get('opaque'), parameters.get('opaque'));
  });
}

const ANN = { user: 'ann "the fan"', password: 'secret' };
const REGISTER = { method: 'REGISTER', uri: 'sip:example.org' };
const answered = (client: DigestClient) => parseDigestAnswer(client.authorization(REGISTER)![1])!;

test('of several algorithms the strongest that is known is used', () => {
  const client = new DigestClient(ANN, () => 'c');
  const offers = ['MD5', 'SHA-512-256', 'SHA-256'].map(
    name => `Digest realm="r", nonce="${name}", algorithm=${name}, qop="auth"`,
  );
  assert.ok(client.take(challenge(...offers)));
  const { algorithm, nonce, username } = answered(client);
  assert.deepEqual([algorithm, nonce, username], ['SHA-256', 'SHA-256', 'ann "the fan"']);
});

test('a nonce is counted until there is another one', () => {
  const client = new DigestClient(ANN, () => 'c');
  const counts = () => [1, 2].map(() => answered(client).quality?.count);
  assert.equal(client.authorization(REGISTER), null);
  client.take(challenge('Digest realm="r", nonce="n1", qop="auth"'));
  assert.deepEqual(counts(), [1, 2]);
  client.take(challenge('Digest realm="r", nonce="n2", qop="auth"'));
  assert.deepEqual(counts(), [1, 2]);
});

test('a challenge without a quality gets the answer of RFC 2069', () => {
  const client = new DigestClient(ANN, () => 'c');
  client.take(challenge('Digest realm="r", nonce="n"'));
  assert.equal(answered(client).quality, null);
});

test('a proxy is answered in its own header', () => {
  const client = new DigestClient(ANN, () => 'c');
  client.take(new Response(407, 'Proxy', [['proxy-authenticate', 'Digest realm="r", nonce="n", qop="auth"']]));
  assert.equal(client.authorization(REGISTER)![0], 'proxy-authorization');
});

for (const [name, value] of [
  ['of another scheme', 'Bearer realm="r", nonce="n"'],
  ['without a nonce', 'Digest realm="r"'],
  ['of an unknown algorithm', 'Digest realm="r", nonce="n", algorithm=SHA-512-256'],
  ['that protects bodies alone', 'Digest realm="r", nonce="n", qop="auth-int"'],
] as const) {
  test(`a challenge ${name} cannot be answered`, () => {
    const client = new DigestClient(ANN, () => 'c');
    assert.equal(client.take(challenge(value)), false);
    assert.equal(client.authorization(REGISTER), null);
  });
}
