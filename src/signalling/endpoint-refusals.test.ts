import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Header, type Request, type Response, respond, serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from './testing.ts';

let clock: FakeClock;
let flow: FakeFlow;
let endpoint: SignallingEndpoint;
let invites: number;

beforeEach(() => {
  clock = new FakeClock();
  flow = new FakeFlow(clock);
  invites = 0;
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: { invite: () => invites++ },
  });
});

function responses(request: Request | Buffer): Response[] {
  endpoint.receive(flow, Buffer.isBuffer(request) ? request : serialise(request));
  return flow.take() as Response[];
}

const ALLOW = 'INVITE, ACK, CANCEL, BYE, INFO, MESSAGE, OPTIONS, PRACK, REFER, REGISTER, SUBSCRIBE, UPDATE';
const TAGGED = '<sip:news@192.0.2.1>;tag=unknown';
const xml: Header[] = [['content-type', 'application/xml']];
const multipart: Header[] = [['content-type', 'multipart/mixed; boundary=b']];
const mixed = (...parts: string[]) => `${parts.map(part => `--b\r\n${part}\r\n`).join('')}--b--\r\n`;
const smime: Header[] = [['content-type', 'application/pkcs7-mime; smime-type=enveloped-data']];
const zipped: Header[] = [
  ['content-type', 'application/sdp'],
  ['content-encoding', 'gzip'],
];

describe('a request that we cannot serve', () => {
  const cases: readonly [name: string, request: Request, status: number, headers: Readonly<Record<string, string>>][] =
    [
      ['has a method that we do not serve', makeRequest('PUBLISH'), 405, { allow: ALLOW }],
      ['has a method that nobody knows', makeRequest('RE%47ISTER'), 501, { allow: ALLOW }],
      ['has a known method in lower case (§7.1)', makeRequest('options'), 501, { allow: ALLOW }],
      ['has a method that we do not serve, in a dialog', makeRequest('PUBLISH', { to: TAGGED }), 405, { allow: ALLOW }],
      ['is an INFO in a dialog that is gone', makeRequest('INFO', { to: TAGGED }), 481, {}],
      ['is an INFO outside any dialog', makeRequest('INFO'), 481, {}],
      ['is encrypted (§23.2)', makeRequest('MESSAGE', { headers: smime, body: '0' }), 493, {}],
      ['calls with an encrypted offer', makeRequest('INVITE', { headers: smime, body: '0' }), 493, {}],
      ['calls a telephone number', makeInvite({ uri: 'tel:+4930123' }), 416, {}],
      ['has a URI without scheme', makeRequest('OPTIONS', { uri: 'news' }), 400, {}],
      ['has headers in its URI (§19.1.1)', makeInvite({ uri: 'sip:a@b?Route=%3Csip:c%3E' }), 400, {}],
      ['accepts no session description', makeInvite({ headers: [['accept', 'text/plain, text/*']] }), 406, {}],
      ['accepts nothing (§20.1)', makeInvite({ headers: [['accept', '']] }), 406, {}],
      ['has a broken SIP URI', makeInvite({ uri: 'sip:news@[1' }), 400, {}],
      [
        'requires extensions',
        makeInvite({
          headers: [
            ['require', '100rel, magic'],
            ['require', 'timer'],
          ],
        }),
        420,
        { unsupported: 'magic' },
      ],
      [
        "requires of a call what is a registrar's",
        makeInvite({ headers: [['require', 'path, outbound, gruu']] }),
        420,
        { unsupported: 'path, outbound, gruu' },
      ],
      [
        'requires of a registrar what nobody knows',
        makeRequest('REGISTER', { headers: [['require', 'path, magic']] }),
        420,
        { unsupported: 'magic' },
      ],
      [
        'offers in another format',
        makeRequest('INVITE', { headers: xml, body: '<x/>' }),
        415,
        { accept: 'application/sdp' },
      ],
      [
        'has a part that must be understood and is not (RFC 5621)',
        makeRequest('INVITE', { headers: multipart, body: mixed('c: text/plain\r\n\r\nHello') }),
        415,
        { accept: 'application/sdp' },
      ],
      ['offers in no format', makeRequest('INVITE', { body: 'v=0' }), 415, { accept: 'application/sdp' }],
      [
        'offers in another encoding',
        makeRequest('INVITE', { headers: zipped, body: 'v=0' }),
        415,
        { accept: 'application/sdp' },
      ],
      [
        'asks for too short a session (RFC 4028)',
        makeInvite({
          headers: [
            ['session-expires', '60'],
            ['supported', 'timer'],
          ],
        }),
        422,
        { 'min-se': '90' },
      ],
      ['updates a dialog that is gone', makeRequest('UPDATE', { to: TAGGED }), 481, {}],
      ['is an UPDATE outside any dialog', makeRequest('UPDATE'), 481, {}],
      ['is a BYE outside any dialog', makeRequest('BYE'), 481, {}],
      ['is an INVITE in a dialog that is gone', makeInvite({ to: TAGGED }), 481, {}],
      ['is an OPTIONS in a dialog that is gone', makeRequest('OPTIONS', { to: TAGGED }), 481, {}],
      [
        'registers too shortly',
        makeRequest('REGISTER', { headers: [['contact', '<sip:a@b>;expires=1']] }),
        423,
        { 'min-expires': '30' },
      ],
    ];
  for (const [name, request, status, headers] of cases) {
    test(`${name}: ${status}`, () => {
      const [response, ...more] = responses(request);
      assert.deepEqual([response?.status, more, invites], [status, [], 0]);
      for (const [header, value] of Object.entries(headers)) assert.equal(response?.get(header), value);
      // §8.2.6.2: every final response has a To tag.
      assert.ok(response?.toTag);
      // The answer belongs to a transaction: the same comes again.
      assert.deepEqual(responses(request)[0]?.headers, response?.headers);
    });
  }

  test('may still be a REGISTER with a body, or an INVITE with parameters to its type, or with none', () => {
    const header: Header = ['content-type', 'Application/SDP; charset=utf-8'];
    const identity: Header = ['content-encoding', 'identity'];
    assert.equal(responses(makeRequest('REGISTER', { headers: xml, body: '<x/>' }))[0]?.status, 200);
    assert.deepEqual(responses(makeRequest('INVITE', { headers: [header, identity], body: 'v=0' })), []);
    assert.deepEqual(responses(makeRequest('INVITE', { branch: 'z9hG4bK-2', callId: 'call-2' })), []);
    assert.equal(invites, 2);
  });
});

describe('bytes that are no message', () => {
  const good = serialise(makeRequest('OPTIONS')).toString();
  for (const [name, text, status, reason] of [
    ['with a broken header', good.replace('Max-Forwards:', 'Max Forwards:'), 400, 'Bad header line'],
    ['with another method in CSeq', good.replace('CSeq: 1 OPTIONS', 'CSeq: 1 BYE'), 400, 'CSeq has another method'],
    ['with a short body', good.replace('Length: 0', 'Length: 4'), 400, 'Body shorter than Content-Length'],
    ['of another version', good.replace('SIP/2.0\r', 'SIP/3.0\r'), 505, 'Version Not Supported'],
    ['with too long a URI', good.replace('sip:news', `sip:${'n'.repeat(3_000)}`), 414, 'Request-URI Too Long'],
  ] as const) {
    test(`${name}: ${status}`, () => {
      assert.notEqual(text, good);
      const [response] = responses(Buffer.from(text));
      assert.deepEqual([response?.status, response?.reason, response?.callId], [status, reason, 'call-1']);
      assert.ok(response?.toTag);
      assert.deepEqual([endpoint.sizes.scanErrors, endpoint.sizes.serverTransactions], [1, 0]);
    });
  }

  for (const [name, bytes] of [
    ['garbage', Buffer.from('garbage')],
    ['a broken ACK', serialise(makeRequest('ACK', { cseqMethod: 'INVITE' }))],
    ['a broken response', Buffer.from(good.replace(/^.*\r\n/, 'SIP/9.9 200 OK\r\n'))],
    ['a response that nobody waits for', serialise(respond(makeRequest('OPTIONS'), 200))],
  ] as const) {
    test(`as ${name} have no answer`, () => assert.deepEqual(responses(bytes), []));
  }
});

test('an answer goes to where its request came from, and says so (RFC 3581)', () => {
  const [response] = responses(makeRequest('OPTIONS', { via: 'SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bK1' }));
  assert.equal(response?.get('via'), 'SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;received=192.0.2.7;rport=5062');
});

test('an INVITE that comes by a second way is refused (§8.2.2.2)', () => {
  assert.deepEqual(responses(makeInvite()), []);
  assert.equal(responses(makeInvite({ branch: 'z9hG4bK-other' }))[0]?.status, 482);
  assert.deepEqual(responses(makeInvite({ branch: 'z9hG4bK-new', sequence: 2 })), []);
  assert.equal(invites, 2);
  // The second way is forgotten after timer H; the first is still there.
  clock.advance(32_000);
  flow.take();
  assert.equal(responses(makeInvite({ branch: 'z9hG4bK-third' }))[0]?.status, 482);
});

test('an INVITE is not taken for one by a second way once the first is over', () => {
  const first = makeInvite();
  responses(first);
  assert.equal(responses(makeRequest('CANCEL', { branch: 'z9hG4bK-invite' })).at(-1)?.status, 487);
  responses(makeRequest('ACK', { branch: 'z9hG4bK-invite' }));
  clock.advance(5_000);
  assert.deepEqual([responses(makeInvite({ branch: 'z9hG4bK-other' })), invites], [[], 2]);
});

test('OPTIONS is answered with what we can do', () => {
  const [response] = responses(makeRequest('OPTIONS'));
  const told = ['allow', 'accept', 'supported', 'allow-events'].map(name => response?.get(name));
  const extensions = ['100rel, replaces, timer', 'presence, dialog'];
  assert.deepEqual([response?.status, ...told], [200, ALLOW, 'application/sdp, text/plain', ...extensions]);
  assert.ok(response?.toTag);
});

test('while draining, new calls and OPTIONS are told to come back, and the rest goes on', () => {
  endpoint.drain();
  for (const request of [makeInvite(), makeRequest('OPTIONS')]) {
    const [response] = responses(request);
    assert.deepEqual([response?.status, response?.get('retry-after'), invites], [503, '10', 0]);
  }
  assert.equal(responses(makeRequest('REGISTER'))[0]?.status, 200);
});
