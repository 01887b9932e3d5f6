import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DIGEST_VECTORS } from '../../../test/vectors/digest.ts';
import { digestHa1, digestRealm, digestResponse, parseDigestAnswer } from './digest.ts';

describe('the response of', () => {
  for (const { origin, password, method, authorization, response } of DIGEST_VECTORS) {
    test(origin, () => {
      const answer = parseDigestAnswer(authorization)!;
      const ha1 = digestHa1(answer.algorithm, answer.username, answer.realm, password);
      assert.deepEqual([answer.response, digestResponse(answer, method, ha1)], [response, response]);
      assert.notEqual(digestResponse(answer, 'HEAD', ha1), response);
    });
  }

  // RFC 2069 §2.4 as its erratum 749 has it.
  test('RFC 2069, which has no quality', () => {
    const answer = parseDigestAnswer(
      'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
        'uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea"',
    )!;
    assert.equal(answer.quality, null);
    const ha1 = digestHa1('MD5', 'Mufasa', 'testrealm@host.com', 'CircleOfLife');
    assert.equal(digestResponse(answer, 'GET', ha1), answer.response);
  });
});

const GOOD =
  'Digest username="a", realm="r", nonce="n", uri="sip:x", response="00ff", qop=auth, nc=0000000a, cnonce="c"';

describe('a Digest answer', () => {
  test('is read whatever its order, case and white space', () => {
    const text =
      'DIGEST  Nonce="n" ,URI = "sip:x,y",\tqop="auth",nc=0000000A,cnonce="c", response="00FF",realm="a \\"r\\"", ' +
      'username="a", algorithm=sha-256, opaque="", other';
    assert.deepEqual(parseDigestAnswer(text), {
      username: 'a',
      realm: 'a "r"',
      nonce: 'n',
      uri: 'sip:x,y',
      response: '00ff',
      algorithm: 'SHA-256',
      quality: { count: 10, countText: '0000000A', clientNonce: 'c' },
    });
    assert.notEqual(parseDigestAnswer(GOOD), null);
  });

  for (const [name, text] of [
    ['of another scheme', GOOD.replace('Digest', 'Basic')],
    ['without a user', GOOD.replace('username', 'user')],
    ['without a realm', GOOD.replace('realm', 'room')],
    ['without a nonce', GOOD.replace('nonce="n", ', '')],
    ['without a URI', GOOD.replace('uri', 'url')],
    ['without a response', GOOD.replace('response', 'request')],
    ['whose response is no number', GOOD.replace('00ff', '00fg')],
    ['whose response is empty', GOOD.replace('00ff', '')],
    ['with an algorithm that is not offered', `${GOOD}, algorithm=SHA-512-256`],
    ['with a session algorithm', `${GOOD}, algorithm=MD5-sess`],
    ['with integrity of the body', GOOD.replace('auth,', 'auth-int,')],
    ['without a count', GOOD.replace('nc=', 'count=')],
    ['with a short count', GOOD.replace('0000000a', 'a')],
    ['without a nonce of the client', GOOD.replace('cnonce', 'cnounce')],
    ['that names its user twice', `${GOOD}, username="b"`],
    ['that is empty', ''],
  ] as const) {
    test(`${name} is none`, () => {
      assert.notEqual(text, GOOD);
      assert.equal(parseDigestAnswer(text), null);
    });
  }

  test('has its realm read even when it is broken, and no other scheme has one', () => {
    assert.deepEqual(
      ['Digest realm="r"', 'Digest', 'Bearer realm="r"'].map(value => digestRealm(value)),
      ['r', null, null],
    );
  });
});
