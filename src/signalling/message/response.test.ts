import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRequest } from '../testing.ts';
import { Request, respond } from './index.ts';

const request = makeRequest('OPTIONS', {
  via: 'SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b',
  headers: [
    ['via', 'SIP/2.0/TLS c'],
    ['timestamp', '54'],
    ['subject', 'x'],
  ],
});
const inDialog = makeRequest('BYE', { to: '<sip:news@192.0.2.1>;tag=theirs' });

describe('a response', () => {
  test('repeats Via, From, To, Call-ID and CSeq, adds what it is given, and nothing else', () => {
    const response = respond(request, 200, { toTag: 'ours', headers: [['allow', 'BYE']], body: Buffer.from('x') });
    assert.deepEqual(response.headers, [
      ['via', 'SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b'],
      ['via', 'SIP/2.0/TLS c'],
      ['from', '"Ann" <sip:ann@example.org>;tag=ann'],
      ['to', '<sip:news@192.0.2.1>;tag=ours'],
      ['call-id', 'call-1'],
      ['cseq', '1 OPTIONS'],
      ['allow', 'BYE'],
    ]);
    assert.deepEqual([response.status, response.reason, response.body.toString()], [200, 'OK', 'x']);
  });

  for (const [name, response, toTag] of [
    ['keeps the To tag that its request has', respond(inDialog, 200, { toTag: 'ours' }), 'theirs'],
    ['has no To tag when it is 100', respond(request, 100, { toTag: 'ours' }), null],
    ['has no To tag when it is given none', respond(request, 404), null],
  ] as const) {
    test(name, () => assert.equal(response.toTag, toTag));
  }

  // RFC 3261 §8.2.6.1.
  test('repeats Timestamp when it is 100, and only then', () => {
    assert.deepEqual(
      [100, 180, 200].map(status => respond(request, status).get('timestamp')),
      ['54', null, null],
    );
  });

  // RFC 4475 §3.3.1.
  test('repeats what there is of a request that lacks the rest', () => {
    const bare = new Request('INVITE', 'sip:a@b', [
      ['cseq', '1 INVITE'],
      ['via', 'SIP/2.0/UDP a'],
    ]);
    assert.deepEqual(respond(bare, 400, { toTag: 'ours' }).headers, [
      ['via', 'SIP/2.0/UDP a'],
      ['cseq', '1 INVITE'],
    ]);
  });

  for (const [status, reason, expected] of [
    [486, undefined, 'Busy Here'],
    [486, 'Not now', 'Not now'],
    [499, undefined, 'Unknown'],
    [480, 'source:\r\nBad: header\0', 'source: Bad: header '],
  ] as const) {
    test(`${status} with ${JSON.stringify(reason)} says ${expected}`, () => {
      assert.equal(respond(request, status, { reason }).reason, expected);
    });
  }
});
