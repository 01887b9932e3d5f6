import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scan } from '../message/index.ts';
import { callIdOf } from './call-id.ts';

/** A whole request; `lines` has its Call-ID, or what stands for it. */
const message = (lines: string, body = '') =>
  Buffer.from(
    [
      'OPTIONS sip:news@192.0.2.1 SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK-1',
      'From: <sip:ann@example.org>;tag=ann',
      'To: <sip:news@192.0.2.1>',
      ...(lines === '' ? [] : [lines]),
      'CSeq: 1 OPTIONS',
      'Max-Forwards: 70',
      '',
      body,
    ].join('\r\n'),
  );

const found = (bytes: Buffer) => callIdOf(bytes, bytes.toString('latin1'));

describe('the Call-ID of a message that was not scanned', () => {
  for (const [name, lines] of Object.entries({
    'spelt as usual': 'Call-ID: a84b4c76e66710@pc33.example.org',
    'in small letters': 'call-id: a84b4c76e66710',
    'in capitals': 'CALL-ID: a84b4c76e66710',
    'in its compact form': 'i: a84b4c76e66710',
    'without a blank': 'Call-ID:a84b4c76e66710',
    'between blanks': 'Call-ID \t:  \t a84b4c76e66710 \t ',
    'on a line of its own': 'Call-ID:\r\n a84b4c76e66710',
    'in UTF-8': 'Call-ID: übertragung@example.org',
    'in UTF-8 and compact': 'i: übertragung@example.org',
  })) {
    test(`is what the scanner finds: ${name}`, () => {
      const scanned = scan(message(lines));
      assert.ok(scanned.ok);
      assert.notEqual(scanned.message.callId, '');
      assert.equal(found(message(lines)), scanned.message.callId);
    });
  }

  test('is that of the headers, whatever stands in the body', () => {
    const body = 'SIP/2.0 200 OK\r\nCall-ID: another@example.org\r\n\r\n';
    assert.equal(found(message('i: mine', body)), 'mine');
    assert.equal(found(message('', body)), null);
  });

  test('is null where there is none', () => {
    for (const text of ['', '\r\n\r\n', 'garbage', 'INVITE sip:a SIP/2.0\r\nCall-ID: \r\n\r\n']) {
      assert.equal(found(Buffer.from(text)), null, text);
    }
  });

  test('is found in a message that was cut off', () => {
    assert.equal(found(Buffer.from('INVITE sip:a SIP/2.0\r\nCall-ID: mine')), 'mine');
  });

  test('attack: blanks and line ends without end cost no quadratic time', () => {
    for (const unit of ['\r\ni', '\r\nCall-ID ', ' ', '\r\ni:\r\n ', '\r\nCall-ID: ']) {
      const bytes = Buffer.from(`INVITE sip:a SIP/2.0${unit.repeat(65_000 / unit.length)}x`);
      const startedAtMs = performance.now();
      found(bytes);
      const costMs = performance.now() - startedAtMs;
      assert.ok(costMs < 100, `${JSON.stringify(unit)}: ${costMs} ms`);
    }
  });
});
