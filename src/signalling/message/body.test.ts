import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRequest } from '../testing.ts';
import { readBody } from './index.ts';

const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\n';
const SDP_PART = `Content-Type: application/sdp\r\n\r\n${SDP}`;
const OPTIONAL = 'Content-Disposition: by-reference; handling=optional';
/** RFC 3204 §3: what a gateway of the telephone network sends. */
const ISUP_PART = `Content-Type: application/ISUP; version=itu-t92+\r\n${OPTIONAL}\r\n\r\n\x01\x02\r\n\x03`;

const multipart = (...parts: string[]) => `${parts.map(part => `--b\r\n${part}\r\n`).join('')}--b--\r\n`;
const inner = (subtype: string, ...parts: string[]) =>
  `Content-Type: multipart/${subtype}; boundary=i\r\n\r\n${parts.map(part => `--i\r\n${part}\r\n`).join('')}--i--`;

function read(type: string | null, body: string, more: Readonly<Record<string, string>> = {}) {
  const headers = Object.entries({ ...(type === null ? {} : { 'content-type': type }), ...more });
  return readBody(makeRequest('INVITE', { headers, body }));
}

describe('a body that is read', () => {
  const mixed = 'multipart/mixed;boundary=b';
  for (const [name, type, body, sdp] of [
    ['is none', null, '', null],
    ['is a session description', 'Application/SDP; charset=utf-8', SDP, SDP],
    ['has the description alone', mixed, multipart(SDP_PART), SDP],
    ['has it before what may be passed over', mixed, multipart(SDP_PART, ISUP_PART), SDP],
    ['has it after what may be passed over', mixed, multipart(ISUP_PART, SDP_PART), SDP],
    ['has only what may be passed over', mixed, multipart(ISUP_PART), null],
    ['has a quoted boundary', 'multipart/mixed; boundary="b"', multipart(SDP_PART), SDP],
    ['has compact headers', mixed, multipart(`c: application/sdp\r\n\r\n${SDP}`), SDP],
    ['has text around its parts', mixed, `Hello\r\n${multipart(SDP_PART)}Bye`, SDP],
    ['has white space after its boundary', mixed, multipart(SDP_PART).replace('--b\r\n', '--b \t\r\n'), SDP],
    ['has a longer boundary within a part', mixed, multipart(`${SDP_PART}--bb\r\n`), `${SDP}--bb\r\n`],
    ['is of a multipart type that nobody knows', 'multipart/new; boundary=b', multipart(SDP_PART), SDP],
    // RFC 2046 §5.1.4: the last that is understood.
    [
      'has alternatives',
      'multipart/alternative; boundary=b',
      multipart(`${SDP_PART}first`, SDP_PART, 'Content-Type: application/new\r\n\r\nx'),
      SDP,
    ],
    ['has parts in a part', mixed, multipart(inner('mixed', SDP_PART), ISUP_PART), SDP],
  ] as const) {
    test(name, () => assert.deepEqual(read(type, body), { sdp }));
  }

  test('may be of any kind when it says that it is optional', () => {
    assert.deepEqual(read('text/plain', 'x', { 'content-disposition': 'render;handling=OPTIONAL' }), { sdp: null });
  });

  test('may say that it is a session, and that it is not encoded', () => {
    const more = { 'content-disposition': 'session', 'content-encoding': 'identity' };
    assert.deepEqual(read('application/sdp', SDP, more), { sdp: SDP });
  });
});

describe('a body that must be understood and is not', () => {
  const mixed = 'multipart/mixed;boundary=b';
  const deep = [1, 2, 3].reduce(part => inner('mixed', part), SDP_PART);
  for (const [name, type, body] of [
    ['says no type', null, SDP],
    ['is of another type', 'application/xml', '<x/>'],
    [
      'has a part of another type, which is required unless it says otherwise',
      mixed,
      multipart(SDP_PART, 'x: y\r\n\r\nz'),
    ],
    ['has a part of its default type', mixed, multipart('\r\nHello', SDP_PART)],
    ['has an empty part that is required', mixed, multipart(SDP_PART, 'Content-Type: application/x\r\n')],
    ['has two descriptions', mixed, multipart(SDP_PART, SDP_PART)],
    ['has no alternative that is understood', 'multipart/alternative; boundary=b', multipart('c: a/b\r\n\r\n')],
    ['has no boundary', 'multipart/mixed', multipart(SDP_PART)],
    ['has another boundary', 'multipart/mixed; boundary=c', multipart(SDP_PART)],
    ['has too long a boundary', `multipart/mixed; boundary=${'b'.repeat(71)}`, multipart(SDP_PART)],
    ['does not end', mixed, multipart(SDP_PART).replace('--b--', '')],
    ['has no part', mixed, '--b--\r\n'],
    ['has more parts than anybody writes', mixed, multipart(...Array<string>(17).fill(ISUP_PART))],
    ['has parts in parts in parts in parts', mixed, multipart(deep)],
  ] as const) {
    test(name, () => assert.equal(read(type, body), null));
  }

  test('is encoded, or is no session', () => {
    assert.equal(read('application/sdp', SDP, { 'content-encoding': 'gzip' }), null);
    assert.equal(read('application/sdp', SDP, { 'content-disposition': 'early-session' }), null);
  });
});

test('an empty part says what it is all the same', () => {
  const body = multipart(SDP_PART, `Content-Type: application/x\r\n${OPTIONAL}\r\n`);
  assert.deepEqual(read('multipart/mixed; boundary=b', body), { sdp: SDP });
});
