import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatHost, parseUri, uriScheme } from './index.ts';

describe('a SIP URI', () => {
  const plain = { scheme: 'sip', user: '', host: 'example.org', port: null, parameters: {}, headers: null };
  for (const [text, expected] of [
    ['sip:example.org', {}],
    ['sip:news@example.org', { user: 'news' }],
    ['SIPS:news@EXAMPLE.org:5061', { scheme: 'sips', user: 'news', port: 5061 }],
    ['sip:news:secret@example.org', { user: 'news' }],
    ['sip:caf%C3%A9@example.org', { user: 'café' }],
    ['sip:a%3Ab%40c@example.org', { user: 'a:b@c' }],
    ['sip:+49;ext=1/2?x@example.org', { user: '+49;ext=1/2?x' }],
    ['sip:news@192.0.2.1:0', { user: 'news', host: '192.0.2.1', port: 0 }],
    ['sip:news@[2001:DB8::1]', { user: 'news', host: '2001:db8::1' }],
    ['sip:[::ffff:192.0.2.10]', { host: '::ffff:192.0.2.10' }],
    // RFC 5118 §4.10: what the grammar of RFC 3261 has some write.
    ['sip:[2001:db8:::192.0.2.1]', { host: '2001:db8::192.0.2.1' }],
    // RFC 4475 §3.1.1.3: unescaped once, so `%2541` is `%41` and not `A`.
    ['sip:example.org;%6C%72;n%61me=v%61lue%25%34%31', { parameters: { lr: null, name: 'value%41' } }],
    ['sip:example.org;a=%zz%41', { parameters: { a: '%zz%41' } }],
    ['sip:example.org?a=b?c', { headers: 'a=b?c' }],
    ['sip:example.org?', { headers: '' }],
    ['sip:news@[2001:db8::1]:5070', { user: 'news', host: '2001:db8::1', port: 5070 }],
    [
      'sip:news@example.org;Transport=TCP;lr;x=?Subject=hi',
      { user: 'news', parameters: { transport: 'TCP', lr: null, x: '' }, headers: 'Subject=hi' },
    ],
  ] as const) {
    test(`can be ${text}`, () => {
      const uri = parseUri(text);
      assert.ok(uri);
      assert.deepEqual({ ...uri, parameters: Object.fromEntries(uri.parameters) }, { ...plain, ...expected });
    });
  }

  test('of a name that comes twice has the first value', () => {
    assert.equal(parseUri('sip:a@b;x=1;X=2')?.parameters.get('x'), '1');
  });

  test('has no more parameters than anybody writes', () => {
    assert.equal(parseUri(`sip:a@b${Array.from({ length: 100 }, (_, at) => `;p${at}`).join('')}`)?.parameters.size, 63);
  });

  for (const text of [
    '',
    'sip:',
    'sip:news@',
    'tel:+4930123',
    'http://example.org',
    'sip:news@example.org:65536',
    'sip:news@example.org:port',
    'sip:bad%zz@example.org',
    'sip:bad%ff@example.org',
    'sip:ne ws@example.org',
    'sip:a@b@example.org',
    'sip:news@[2001:db8::1',
    'sip:news@2001:db8::1',
    'sip:news@[2001:db8::1::2]',
    'sip:news@[1:2]',
    'sip:news@[192.0.2.1]',
    'sip:news@exa<mple.org',
    'sip:news@example.org;x="y"',
    '<sip:news@example.org>',
  ]) {
    test(`is not ${JSON.stringify(text)}`, () => assert.equal(parseUri(text), null));
  }
});

test('the scheme is told of any URI, and of nothing else', () => {
  const schemes = ['TEL:+49', 'sip:a@b', 'h323+x.y-z:a', 'news', '1a:b', ''].map(uriScheme);
  assert.deepEqual(schemes, ['tel', 'sip', 'h323+x.y-z', null, null, null]);
});

test('an IPv6 address stands in brackets', () => {
  assert.deepEqual(['2001:db8::1', '192.0.2.1', 'example.org'].map(formatHost), [
    '[2001:db8::1]',
    '192.0.2.1',
    'example.org',
  ]);
});
