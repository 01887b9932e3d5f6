import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeInvite, parsed } from '../testing.ts';
import { Request, Response, serialise } from './index.ts';

describe('a message on the wire', () => {
  test('has its headers in their usual spelling and a Content-Length of its own', () => {
    const message = new Request(
      'OPTIONS',
      'sip:a@b',
      [
        ['call-id', '1'],
        ['cseq', '1 OPTIONS'],
        ['www-authenticate', 'x'],
        ['content-length', '99'],
        ['max-forwards', '70'],
      ],
      Buffer.from('é'),
    );
    const lines = [
      'OPTIONS sip:a@b SIP/2.0',
      'Call-ID: 1',
      'CSeq: 1 OPTIONS',
      'WWW-Authenticate: x',
      'Max-Forwards: 70',
    ];
    assert.equal(serialise(message).toString(), `${lines.join('\r\n')}\r\nContent-Length: 2\r\n\r\né`);
  });

  const invite = makeInvite({ headers: [['record-route', '<sip:p;lr>, <sip:q;lr>']], body: 'v=0\r\n\r\nbinary \0 é' });
  for (const message of [
    invite,
    makeInvite({ body: '' }),
    new Response(603, 'Nein, 谢谢', invite.headers, invite.body),
  ]) {
    test(`is read again as what it was: ${message instanceof Request ? 'request' : 'response'} of ${message.body.length} bytes`, () => {
      const again = parsed(serialise(message));
      assert.equal(again.constructor, message.constructor);
      assert.deepEqual(again.headers.slice(0, -1), message.headers);
      assert.deepEqual(again.headers.at(-1), ['content-length', String(message.body.length)]);
      assert.deepEqual({ ...again, headers: null }, { ...message, headers: null });
    });
  }
});
