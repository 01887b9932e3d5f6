import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatVia, parsedUri, parseNameAddr, parseVia } from './index.ts';

describe('a name-addr', () => {
  for (const [text, displayName, uri, parameters] of [
    ['<sip:ann@example.org>', '', 'sip:ann@example.org', {}],
    ['Ann B <sip:ann@example.org>;tag=1', 'Ann B', 'sip:ann@example.org', { tag: '1' }],
    ['"Ann, \\"B\\" <x>" <sip:ann@example.org>', 'Ann, "B" <x>', 'sip:ann@example.org', {}],
    ['""<sip:ann@example.org> ; TAG = "a;b" ; x', '', 'sip:ann@example.org', { tag: 'a;b', x: null }],
    ['< sip:ann@example.org;lr >;tag=1', '', 'sip:ann@example.org;lr', { tag: '1' }],
    // RFC 3261 §20: without brackets the parameters are the header's.
    ['sip:ann@example.org;tag=1', '', 'sip:ann@example.org', { tag: '1' }],
    [' tel:+4930 ; tag = 1 ', '', 'tel:+4930', { tag: '1' }],
  ] as const) {
    test(`can be ${text}`, () => {
      const address = parseNameAddr(text);
      assert.ok(address);
      assert.deepEqual([address.displayName, address.uri], [displayName, uri]);
      assert.deepEqual(Object.fromEntries(address.parameters), parameters);
    });
  }

  for (const text of [
    '',
    '*',
    '<>',
    '< >',
    'ann',
    'ann@example.org',
    '<sip:a@b',
    'sip:a@b>',
    '"Ann <sip:a@b>',
    '<sip:a b@c>',
    '<sip:a@b> x',
    // RFC 3261 §20: with a comma or a question mark it needs its brackets.
    'sip:a,b@example.org',
    'sip:a@example.org?Route=b',
  ]) {
    test(`is not ${JSON.stringify(text)}`, () => assert.equal(parseNameAddr(text), null));
  }

  test('tells its SIP URI, when it is one', () => {
    assert.equal(parsedUri(parseNameAddr('<sip:%61nn@example.org>')!)?.user, 'ann');
    assert.equal(parsedUri(parseNameAddr('<tel:+49>')!), null);
  });
});

describe('a Via', () => {
  for (const [text, transport, host, port, parameters] of [
    ['SIP/2.0/UDP a.example.org', 'UDP', 'a.example.org', null, {}],
    ['SIP/2.0/tls 192.0.2.7:5061;branch=z9', 'TLS', '192.0.2.7', 5061, { branch: 'z9' }],
    ['SIP / 2.0 / TCP  [2001:DB8::7] : 5060 ; rport', 'TCP', '2001:db8::7', 5060, { rport: null }],
    // RFC 4475 §3.1.2.16: the answer of 505 has to find its way back.
    ['SIP/7.0/UDP a.example.org', 'UDP', 'a.example.org', null, {}],
    // RFC 5118 §4.5: with brackets and without.
    [
      'SIP/2.0/UDP [2001:db8::9];received=[2001:DB8::1];maddr=[2001:db8::2];x=[1]',
      'UDP',
      '2001:db8::9',
      null,
      { received: '2001:db8::1', maddr: '2001:db8::2', x: '[1]' },
    ],
    ['SIP/2.0/UDP a;received=2001:db8::1', 'UDP', 'a', null, { received: '2001:db8::1' }],
    ['sip/2.0/WSS x.invalid ;received="192.0.2.7"', 'WSS', 'x.invalid', null, { received: '192.0.2.7' }],
  ] as const) {
    test(`can be ${text}`, () => {
      const via = parseVia(text);
      assert.ok(via);
      assert.deepEqual(
        { ...via, parameters: Object.fromEntries(via.parameters) },
        { transport, host, port, parameters },
      );
    });
  }

  // The last is the port to which a response would go; sending there throws.
  for (const text of [
    '',
    'SIP/2.0/UDP',
    'SIP/2/UDP a',
    'SIP/2.0 UDP a',
    'SIP/2.0/UDP a b',
    'SIP/2.0/UDP a:b',
    'SIP/2.0/UDP a:65536',
  ]) {
    test(`is not ${JSON.stringify(text)}`, () => assert.equal(parseVia(text), null));
  }

  for (const text of ['SIP/2.0/UDP 192.0.2.1:5060;branch=z9;rport', 'SIP/2.0/WS [2001:db8::1]']) {
    test(`is written as it is read: ${text}`, () => assert.equal(formatVia(parseVia(text)!), text));
  }
});
