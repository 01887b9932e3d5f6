import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS, Request, Response, scan } from './index.ts';

const HEADERS = [
  'Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1',
  'From: "Ann" <sip:ann@example.org>;tag=ann',
  'To: <sip:news@example.org>',
  'Call-ID: call-1',
  'CSeq: 1 OPTIONS',
];
const REQUEST_LINE = 'OPTIONS sip:news@example.org SIP/2.0';

const bytes = (lines: readonly string[], body = '') => Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
const without = (name: string) => HEADERS.filter(line => !line.startsWith(`${name}:`));
const replaced = (line: string) => [...without(line.split(':', 1)[0]!), line];

function accepted(buffer: Buffer): Request | Response {
  const result = scan(buffer);
  assert.ok(result.ok, JSON.stringify(result));
  return result.message;
}

function refused(buffer: Buffer) {
  const result = scan(buffer);
  assert.ok(!result.ok);
  return result.error;
}

describe('a request', () => {
  test('is read with its method, URI, headers and body', () => {
    const lines = [REQUEST_LINE, ...HEADERS, 'Content-Type: text/plain', 'Content-Length: 5'];
    const message = accepted(bytes(lines, 'hello'));
    assert.ok(message instanceof Request);
    assert.deepEqual([message.method, message.uri], ['OPTIONS', 'sip:news@example.org']);
    assert.deepEqual(message.headers[5], ['content-type', 'text/plain']);
    assert.equal(message.body.toString(), 'hello');
    assert.deepEqual([message.callId, message.fromTag, message.toTag], ['call-1', 'ann', null]);
    assert.deepEqual(message.cseq, { number: 1, method: 'OPTIONS' });
  });

  test('without Content-Length has all the rest as its body', () => {
    assert.equal(accepted(bytes([REQUEST_LINE, ...HEADERS], 'hello')).body.toString(), 'hello');
  });

  test('loses what goes beyond its Content-Length', () => {
    const message = accepted(bytes([REQUEST_LINE, ...HEADERS, 'Content-Length: 2'], 'hello'));
    assert.equal(message.body.toString(), 'he');
  });

  test('may have compact, oddly written and folded headers', () => {
    const message = accepted(
      bytes([
        'OPTIONS sip:news@example.org sip/2.0',
        'v: SIP / 2.0',
        ' / UDP  192.0.2.7 : 5062 ;',
        '\tbranch = z9hG4bK1',
        'f: "Ann \\"B\\"',
        '  C" <sip:ann@example.org>',
        '  ; tag = ann',
        'T :',
        ' sip:news@example.org ; x=1',
        'i:call-1',
        'CSEQ: 0009',
        '  OPTIONS',
        's:',
        'l  : 0',
      ]),
    );
    assert.deepEqual(
      { ...message.via, parameters: [...message.via!.parameters] },
      { transport: 'UDP', host: '192.0.2.7', port: 5062, parameters: [['branch', 'z9hG4bK1']] },
    );
    assert.equal(message.from?.displayName, 'Ann "B" C');
    assert.equal(message.fromTag, 'ann');
    assert.equal(message.to?.uri, 'sip:news@example.org');
    assert.equal(message.get('call-id'), 'call-1');
    assert.equal(message.cseq?.number, 9);
    assert.equal(message.get('subject'), '');
  });

  test('may have a Max-Forwards of 0 or 255', () => {
    for (const hops of ['0', '255', '0068']) accepted(bytes([REQUEST_LINE, ...HEADERS, `Max-Forwards: ${hops}`]));
  });

  // RFC 4475 §3.1.2.18: it is refused as what it is, an unknown method.
  test('of an unknown method may have another one in its CSeq', () => {
    const message = accepted(bytes(['NEWMETHOD sip:news@example.org SIP/2.0', ...replaced('CSeq: 8 INVITE')]));
    assert.ok(message instanceof Request && message.method === 'NEWMETHOD');
  });

  test('may carry several values on a line and on several lines, quotes and brackets keeping their commas', () => {
    const more = [
      'Contact: "Ann\\", B" <sip:a@example.org>;q=0.5, <sip:b,c@example.org>',
      'm: sip:d@example.org',
      'Supported: timer',
      'k: path, , outbound',
    ];
    const message = accepted(bytes([REQUEST_LINE, ...HEADERS, ...more]));
    assert.deepEqual(message.list('contact'), [
      '"Ann\\", B" <sip:a@example.org>;q=0.5',
      '<sip:b,c@example.org>',
      'sip:d@example.org',
    ]);
    assert.deepEqual(message.list('supported'), ['timer', 'path', 'outbound']);
  });
});

describe('a response', () => {
  for (const [line, status, reason] of [
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['sip/2.0 486 Busy Here', 486, 'Busy Here'],
    ['SIP/2.0 200', 200, ''],
    ['SIP/2.0 100 ', 100, ''],
    ['SIP/2.0 603 Nein, 谢谢', 603, 'Nein, 谢谢'],
  ] as const) {
    test(`may begin with ${line}`, () => {
      const message = accepted(bytes([line, ...HEADERS, 'Content-Length: 1'], 'xyz'));
      assert.ok(message instanceof Response);
      assert.deepEqual([message.status, message.reason, message.body.toString()], [status, reason, 'x']);
    });
  }

  // Answering one would have two servers answer each other for ever.
  for (const [fault, buffer] of [
    ['another version', bytes(['SIP/3.0 200 OK', ...HEADERS])],
    ['a status of more digits', bytes(['SIP/2.0 4294967301 OK', ...HEADERS])],
    ['a status out of range', bytes(['SIP/2.0 999 OK', ...HEADERS])],
    ['no status', bytes(['SIP/2.0', ...HEADERS])],
    ['a broken header', bytes(['SIP/2.0 200 OK', ...HEADERS, 'broken'])],
    ['no CSeq', bytes(['SIP/2.0 200 OK', ...without('CSeq')])],
    ['a short body', bytes(['SIP/2.0 200 OK', ...HEADERS, 'Content-Length: 9'], 'short')],
  ] as const) {
    test(`with ${fault} is an error that nobody is answered for`, () => {
      assert.equal(refused(buffer).request, null);
    });
  }
});

describe('a faulty request that can be answered', () => {
  const headers = [
    ['a short body', [...HEADERS, 'Content-Length: 6'], 'Body shorter than Content-Length'],
    ['a negative Content-Length', [...HEADERS, 'Content-Length: -1'], 'Bad content-length'],
    ['a Content-Length beyond all measure', [...HEADERS, 'Content-Length: 9999999999'], 'Bad content-length'],
    ['two Content-Lengths', [...HEADERS, 'Content-Length: 5', 'l: 4'], 'More than one content-length'],
    ['two Call-IDs', [...HEADERS, 'i: call-2'], 'More than one call-id'],
    ['another method in CSeq', replaced('CSeq: 1 INVITE'), 'CSeq has another method'],
    ['a CSeq of 2^31', replaced('CSeq: 2147483648 OPTIONS'), 'Bad cseq'],
    ['no number in CSeq', replaced('CSeq: OPTIONS'), 'Bad cseq'],
    ['no number in Max-Forwards', [...HEADERS, 'Max-Forwards: many'], 'Bad max-forwards'],
    ['a Max-Forwards of 256', [...HEADERS, 'Max-Forwards: 256'], 'Bad max-forwards'],
    ['an empty parameter in Via', replaced('Via: SIP/2.0/UDP a;;branch=z9hG4bK1'), 'Bad via'],
    ['an empty value among its Vias', [...HEADERS, 'Via: SIP/2.0/UDP a,, SIP/2.0/UDP b'], 'Bad via'],
    ['an empty parameter in Contact', [...HEADERS, 'Contact: <sip:a@b>;'], 'Bad contact'],
    ['a From that is no address', replaced('From: <>;tag=ann'), 'Bad from'],
    ['a To that is no address', replaced('To: news'), 'Bad to'],
    ['a line that is no header', [...HEADERS, 'no header'], 'Bad header line'],
    ['white space in a header name', [...HEADERS, 'Sub ject: x'], 'Bad header line'],
    ['a folded first header', [' folded', ...HEADERS], 'Bad header line'],
    ['a header smuggled in after a lone LF', [...HEADERS, 'Subject: a\nVia: b'], 'Bad header line'],
    ['a header smuggled in after a lone CR', [...HEADERS, 'Subject: a\rVia: b'], 'Bad header line'],
    ['headers without end', [...HEADERS, ...Array<string>(LIMITS.headers).fill('X-Y: z')], 'Too many headers'],
  ] as const;
  for (const [fault, lines, reason] of headers) {
    test(`has ${fault}: 400`, () => {
      const error = refused(bytes([REQUEST_LINE, ...lines], 'body'));
      assert.deepEqual([error.status, error.reason, error.request?.method], [400, reason, 'OPTIONS']);
      assert.equal(error.request?.callId, 'call-1');
    });
  }

  const long = `sip:${'a'.repeat(LIMITS.uriBytes)}@example.org`;
  for (const [line, status, reason] of [
    ['OPTIONS sip:news@example.org SIP/7.0', 505, 'Version Not Supported'],
    [`OPTIONS ${long} SIP/2.0`, 414, 'Request-URI Too Long'],
    ['OPTIONS sip:news@example.org', 400, 'Bad request line'],
    ['OPTIONS  sip:news@example.org  SIP/2.0', 400, 'Bad request line'],
    ['OPTIONS sip:news @example.org SIP/2.0', 400, 'Bad request line'],
    ['OP(TIONS sip:news@example.org SIP/2.0', 400, 'Bad request line'],
    ['OPTIONS sip:news@example.org SIP/2.0 ', 400, 'Bad request line'],
    ['OPTIONS sip:news@example.org HTTP/1.1', 400, 'Bad request line'],
  ] as const) {
    test(`begins with ${line.slice(0, 50)}: ${status}`, () => {
      const error = refused(bytes([line, ...HEADERS]));
      assert.deepEqual([error.status, error.reason, error.request?.callId], [status, reason, 'call-1']);
    });
  }
});

// RFC 4475 §3.3.1: the answer goes by the Via, and repeats what there is.
describe('a request that lacks what every request has', () => {
  for (const name of ['From', 'To', 'Call-ID', 'CSeq']) {
    test(`has no ${name}: 400`, () => {
      const error = refused(bytes([REQUEST_LINE, ...without(name)]));
      assert.deepEqual(
        [error.status, error.reason, error.request?.method],
        [400, `No ${name.toLowerCase()}`, 'OPTIONS'],
      );
    });
  }
});

describe('a faulty request that nobody can be answered for', () => {
  test('has no Via', () => {
    const error = refused(bytes([REQUEST_LINE, ...without('Via')]));
    assert.deepEqual([error.status, error.reason, error.request], [400, 'No via', null]);
  });

  test('has a Via that says no address', () => {
    const { reason, request } = refused(bytes([REQUEST_LINE, ...replaced('Via: SIP/2.0/UDP')]));
    assert.deepEqual([reason, request], ['Bad via', null]);
  });

  // RFC 3261 §17.1.1.3: whatever is wrong with it, an ACK has no answer.
  for (const lines of [
    ['ACK sip:news@example.org SIP/2.0', ...replaced('CSeq: 1 INVITE')],
    ['ACK sip:news@example.org', ...replaced('CSeq: 1 ACK')],
    ['A(CK sip:news@example.org', ...replaced('CSeq: 1 ACK')],
  ]) {
    test(`is an ACK: ${lines[0]}`, () => assert.equal(refused(bytes(lines)).request, null));
  }

  const huge = (count: number) => 'x'.repeat(count);
  for (const [name, buffer, status] of [
    ['is empty', Buffer.alloc(0), 400],
    ['is noise', Buffer.from([0x16, 0x03, 0x01, 0, 0, 0xff]), 400],
    ['is of another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'), 400],
    ['has no end of its headers', Buffer.from([REQUEST_LINE, ...HEADERS].join('\r\n')), 400],
    ['is larger than a message may be', bytes([REQUEST_LINE, ...HEADERS], huge(LIMITS.messageBytes)), 413],
    ['has larger headers than it may', bytes([REQUEST_LINE, ...HEADERS, `X: ${huge(LIMITS.headerBytes)}`]), 413],
  ] as const) {
    test(name, () => {
      const error = refused(buffer);
      assert.deepEqual([error.status, error.request], [status, null]);
    });
  }
});
