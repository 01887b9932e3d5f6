import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Request, type Response, respond, scan, serialise, withReceived } from './index.ts';

const SEEDS = [
  `INVITE sip:news@192.0.2.1;x=y?a=b SIP/2.0\r
Via: SIP/2.0/UDP [2001:db8::7]:5062;branch=z9hG4bK1;rport, SIP/2.0/TCP a.example.org\r
From: "Ann \\"B\\"" <sip:ann@example.org>;tag=ann\r
To: <sip:%6eews@192.0.2.1>\r
Call-ID: call-1\r
CSeq: 1 INVITE\r
Contact: "Ann, B" <sip:ann@192.0.2.7>;expires=60, sip:b@192.0.2.8\r
Record-Route: <sip:p1.example.org;lr>, <sip:p2.example.org>\r
Content-Length: 5\r
\r
hello`,
  `SIP/2.0 200 OK\r
v: SIP/2.0/WS x.invalid;branch=z9hG4bK2\r
f: sip:a@b;tag=1\r
t: sip:c@d;tag=2\r
i: x\r
CSeq: 2 BYE\r
\r
`,
].map(text => Buffer.from(text));

const SPICE = [
  '\r\n',
  '\r\n\r\n',
  '\r',
  '\n',
  ' ',
  '"',
  '\\',
  '<',
  '>',
  ';',
  ',',
  ':',
  '=',
  '%',
  '[',
  '\0',
  'ÿ',
  '\r\n ',
];

/** Reads everything that this room ever asks of a message. */
function readAll(message: Request | Response): void {
  for (const [name] of message.headers) message.list(name);
  void [message.via, message.from, message.to, message.cseq, message.callId, message.fromTag, message.toTag];
}

/** Scanning must not throw, and neither must anything that is done next with its result. */
function holds(bytes: Buffer): void {
  const result = scan(bytes);
  const request = result.ok ? result.message : result.error.request;
  if (request === null) return;
  readAll(request);
  if ('status' in request) return;
  const received = withReceived(request, { remoteAddress: '192.0.2.7', remotePort: 5062 });
  const answer = serialise(respond(received, result.ok ? 200 : result.error.status, { toTag: 'ours' }));
  const [statusLine, ...headers] = answer.toString('utf8').split('\r\n');
  assert.match(statusLine!, /^SIP\/2\.0 \d{3} /);
  // An answer has no line that its request wrote.
  const named = headers.slice(0, -2).map(line => line.split(':', 1)[0]);
  assert.ok(
    named.every(name => /^(Via|From|To|Call-ID|CSeq|Content-Length)$/.test(name!)),
    String(named),
  );
  assert.ok(!/[\r\n]/.test(headers.join('')));
}

describe('no bytes make the scanner or its callers throw', () => {
  test('random ones', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), bytes => holds(Buffer.from(bytes))));
  });

  test('messages with pieces put in, taken out and written over', () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(8),
      insert: fc.oneof(fc.constantFrom(...SPICE), fc.string({ maxLength: 6, unit: 'binary' })),
    });
    const mutated = fc.tuple(fc.constantFrom(...SEEDS), fc.array(edit, { minLength: 1, maxLength: 6 }));
    fc.assert(
      fc.property(mutated, ([seed, edits]) => {
        let bytes = seed;
        for (const { at, remove, insert } of edits) {
          const offset = Math.floor(at * bytes.length);
          bytes = Buffer.concat([bytes.subarray(0, offset), Buffer.from(insert), bytes.subarray(offset + remove)]);
        }
        holds(bytes);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a message full of white space costs no more than its length', () => {
  const BLANKS = ' '.repeat(15_000);
  for (const [name, line] of [
    ['From', `From: a${BLANKS}b`],
    ['the brackets of From', `From: <a${BLANKS}b`],
    ['From, after its brackets', `From: <sip:a@b>${BLANKS}b`],
    ['Via', `Via: SIP/2.0/UDP 192.0.2.7${BLANKS}b`],
    ['Via, after its port', `Via: SIP/2.0/UDP 192.0.2.7:5060${BLANKS}b`],
    ['CSeq', `CSeq: 1${BLANKS}`],
    ['a header name', `Subject${BLANKS}x`],
    ['a value, before a lone LF', `Subject:${BLANKS}x\ny`],
  ] as const) {
    test(`in ${name}`, () => {
      const lines = SEEDS[0]!.toString().split('\r\n');
      const headerName = line.split(/[:\s]/, 1)[0]!;
      const bytes = Buffer.from(
        [lines[0], line, ...lines.slice(1).filter(each => !each.startsWith(headerName))].join('\r\n'),
      );
      const busyUs = () => process.cpuUsage().user;
      const before = busyUs();
      for (let run = 0; run < 5; run++) holds(bytes);
      // Milliseconds when it is linear; several seconds when it is quadratic.
      assert.ok(busyUs() - before < 500_000, `${(busyUs() - before) / 1000} ms`);
    });
  }
});
