import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header } from '../message/index.ts';
import { makeRequest } from '../testing.ts';
import { readRefer } from './refer.ts';

const read = (...headers: Header[]) => readRefer(makeRequest('REFER', { headers }));
const to = (value: string): Header => ['refer-to', value];

describe('a REFER', () => {
  test('names whom to call, and who asks', () => {
    assert.deepEqual(
      read(to('"Bob" <sip:bob@example.org;user=phone>'), ['referred-by', 'Ann <sip:ann@example.org>;cid=1']),
      {
        to: 'sip:bob@example.org;user=phone',
        replaces: null,
        referredBy: '<sip:ann@example.org>',
        wantsReports: true,
      },
    );
  });

  test('may name a call to take the place of', () => {
    const refer = read(
      to('<sip:bob@example.org?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=x&Route=%3Csip:evil%3E>'),
    );
    assert.deepEqual(refer, {
      to: 'sip:bob@example.org',
      replaces: 'a@b;to-tag=1;from-tag=2',
      referredBy: null,
      wantsReports: true,
    });
  });

  test('may want no reports (RFC 4488)', () => {
    const refer = read(to('sip:bob@example.org'), ['refer-sub', 'false']);
    assert.ok('to' in refer && !refer.wantsReports);
  });

  for (const [name, headers, status] of [
    ['names nobody', [], 400],
    ['names two', [to('<sip:a@b>'), to('<sip:c@d>')], 400],
    ['names two in one line', [to('<sip:a@b>, <sip:c@d>')], 400],
    ['names what is no URI', [to('bob')], 400],
    ['names a host', [to('<sip:example.org>')], 400],
    ['names a telephone number', [to('<tel:+15550100>')], 416],
    ['names a web page', [to('<http://example.org/>')], 416],
    ['wants something else than a call', [to('<sip:bob@example.org;method=BYE>')], 400],
    ['has a Replaces without tags', [to('<sip:bob@example.org?Replaces=call>')], 400],
    [
      'has a Replaces that breaks the line',
      [to('<sip:bob@example.org?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2%0D%0AX:1>')],
      400,
    ],
    ['has a Replaces that is badly escaped', [to('<sip:bob@example.org?Replaces=%>')], 400],
  ] as const) {
    test(`that ${name} is refused (${status})`, () => {
      const refer = read(...headers);
      assert.equal('status' in refer && refer.status, status);
    });
  }
});
