import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { respond } from '../message/index.ts';
import { makeRequest, type RequestParts } from '../testing.ts';
import { clientKey, mergeKey, serverKey } from './index.ts';

const VIA = 'SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKa';
const OLD_VIA = 'SIP/2.0/UDP 192.0.2.7:5062;branch=1';
const TAGGED = '<sip:news@192.0.2.1>;tag=ours';

type Like = readonly [method: string, parts: RequestParts];

/** Which requests belong to the transaction of the first one. */
const SAME: readonly (readonly [name: string, first: Like, second: Like])[] = [
  ['a retransmission', ['OPTIONS', { via: VIA }], ['OPTIONS', { via: VIA }]],
  ['a branch is compared without its case', ['OPTIONS', { via: VIA }], ['OPTIONS', { via: VIA.replace('Ka', 'KA') }]],
  [
    'port 5060 may be left out',
    ['BYE', { via: 'SIP/2.0/UDP h;branch=z9hG4bKa' }],
    ['BYE', { via: 'SIP/2.0/UDP h:5060;branch=z9hG4bKa' }],
  ],
  ['the ACK to a refusal', ['INVITE', { via: VIA }], ['ACK', { via: VIA, to: TAGGED }]],
  ['an old INVITE and its retransmission', ['INVITE', { via: OLD_VIA }], ['INVITE', { via: OLD_VIA }]],
  ['an old INVITE and its ACK', ['INVITE', { via: OLD_VIA }], ['ACK', { via: OLD_VIA, to: TAGGED }]],
  ['an old re-INVITE and its ACK', ['INVITE', { via: OLD_VIA, to: TAGGED }], ['ACK', { via: OLD_VIA, to: TAGGED }]],
  [
    'an INVITE without any branch and its ACK',
    ['INVITE', { via: 'SIP/2.0/UDP h' }],
    ['ACK', { via: 'SIP/2.0/UDP h', to: TAGGED }],
  ],
];

const OTHER: typeof SAME = [
  ['another branch', ['OPTIONS', { via: VIA }], ['OPTIONS', { via: `${VIA}b` }]],
  ['another method', ['OPTIONS', { via: VIA }], ['BYE', { via: VIA }]],
  ['the CANCEL', ['INVITE', { via: VIA }], ['CANCEL', { via: VIA }]],
  ['the branch of another host', ['BYE', { via: VIA }], ['BYE', { via: VIA.replace('.7', '.8') }]],
  ['the branch of another port', ['BYE', { via: VIA }], ['BYE', { via: VIA.replace('5062', '5063') }]],
  [
    'a cookie that is all of the branch',
    ['BYE', { via: 'SIP/2.0/UDP h;branch=z9hG4bK' }],
    ['BYE', { via: 'SIP/2.0/UDP h;branch=z9hG4bK', sequence: 2 }],
  ],
  ['an old request with another CSeq', ['BYE', { via: OLD_VIA }], ['BYE', { via: OLD_VIA, sequence: 2 }]],
  ['an old request of another call', ['BYE', { via: OLD_VIA }], ['BYE', { via: OLD_VIA, callId: 'call-2' }]],
  ['an old request to another URI', ['BYE', { via: OLD_VIA }], ['BYE', { via: OLD_VIA, uri: 'sip:x@y' }]],
  ['an old request from another tag', ['BYE', { via: OLD_VIA }], ['BYE', { via: OLD_VIA, from: '<sip:a@b>;tag=2' }]],
  ['an old request to another tag', ['BYE', { via: OLD_VIA }], ['BYE', { via: OLD_VIA, to: TAGGED }]],
  ['an old request from another host', ['BYE', { via: OLD_VIA }], ['BYE', { via: OLD_VIA.replace('.7', '.8') }]],
];

describe('server transactions (RFC 3261 §17.2.3)', () => {
  for (const [name, first, second] of SAME) {
    test(`are one: ${name}`, () => assert.equal(serverKey(makeRequest(...second)), serverKey(makeRequest(...first))));
  }
  for (const [name, first, second] of OTHER) {
    test(`are two: ${name}`, () =>
      assert.notEqual(serverKey(makeRequest(...second)), serverKey(makeRequest(...first))));
  }
  for (const via of [VIA, OLD_VIA]) {
    test(`a CANCEL finds its INVITE by ${via}`, () => {
      assert.equal(serverKey(makeRequest('CANCEL', { via }), 'INVITE'), serverKey(makeRequest('INVITE', { via })));
    });
  }
});

test('a response finds its client transaction by branch and method (§17.1.3)', () => {
  const request = makeRequest('BYE', { via: VIA });
  assert.equal(clientKey(respond(request, 200)), clientKey(request));
  assert.notEqual(clientKey(respond(makeRequest('OPTIONS', { via: VIA }), 200)), clientKey(request));
  assert.notEqual(clientKey(respond(makeRequest('BYE', { via: `${VIA}b` }), 200)), clientKey(request));
});

test('requests that came by two ways share Call-ID, From tag and CSeq (§8.2.2.2)', () => {
  const key = mergeKey(makeRequest('INVITE', { via: VIA }));
  assert.equal(mergeKey(makeRequest('INVITE', { via: `${VIA}b`, uri: 'sip:other@192.0.2.1' })), key);
  const others: RequestParts[] = [{ callId: 'call-2' }, { from: '<sip:ann@example.org>;tag=2' }, { sequence: 2 }];
  for (const parts of others) assert.notEqual(mergeKey(makeRequest('INVITE', parts)), key);
});
