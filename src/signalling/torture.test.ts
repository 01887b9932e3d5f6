import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { tortureVectors } from '../../test/vectors/torture.ts';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { parsedUri, parseNameAddr, parseUri, parseVia, Request, type Response, StreamFramer } from './message/index.ts';
import { FakeClock, parsed } from './testing.ts';
import type { Flow } from './transport/index.ts';

/** What a server makes of the messages of RFC 4475 and RFC 5118, as datagrams and on a stream. */

const VECTORS = new Map(tortureVectors().map(vector => [vector.name, vector]));
const DROPPED = 'dropped';
const ALLOW = 'Allow: INVITE, ACK,';

/**
 * By name: the section, what a datagram of it is answered, with the header that the answer must have, and what it is
 * answered on a stream where that is something else. Where the RFC leaves a choice, the comment says which is ours.
 */
const OUTCOMES: Readonly<
  Record<string, readonly [section: string, datagram: string, header?: string, stream?: string]>
> = {
  wsinv: ['3.1.1.1', '481 Call/Transaction Does Not Exist'],
  intmeth: ['3.1.1.2', '501 Not Implemented', ALLOW],
  esc01: ['3.1.1.3', '180 Ringing; calls sips:user@example.com'],
  escnull: ['3.1.1.4', '200 OK', 'Contact: <sip:%00%00@host5.example.com>;'],
  esc02: ['3.1.1.5', '501 Not Implemented', ALLOW],
  lwsdisp: ['3.1.1.6', '200 OK', ALLOW],
  longreq: ['3.1.1.7', '180 Ringing; calls user'],
  // A datagram has one message; what follows it is not looked at.
  dblreq: ['3.1.1.8', '200 OK', 'Contact: <sip:j.user@host.example.com>;', '200 OK; 180 Ringing; calls joe'],
  semiuri: ['3.1.1.9', '200 OK'],
  transports: ['3.1.1.10', '200 OK'],
  mpart01: ['3.1.1.11', '415 Unsupported Media Type', 'Accept: text/plain\r\n'],
  unreason: ['3.1.1.12', DROPPED],
  noreason: ['3.1.1.13', DROPPED],
  badinv01: ['3.1.2.1', '400 Bad via'],
  // A stream waits for the rest.
  clerr: ['3.1.2.2', '400 Body shorter than Content-Length', undefined, DROPPED],
  ncl: ['3.1.2.3', '400 Bad content-length', undefined, '400 Bad content-length; closed'],
  scalar02: ['3.1.2.4', '400 Bad cseq'],
  scalarlg: ['3.1.2.5', DROPPED],
  quotbal: ['3.1.2.6', '400 Bad to'],
  ltgtruri: ['3.1.2.7', '400 Bad Request-URI'],
  lwsruri: ['3.1.2.8', '400 Bad request line'],
  lwsstart: ['3.1.2.9', '400 Bad request line'],
  trws: ['3.1.2.10', '400 Bad request line'],
  escruri: ['3.1.2.11', '400 Bad Request-URI'],
  // Nothing here goes by a Date, so it is no reason to refuse anybody.
  baddate: ['3.1.2.12', '180 Ringing; calls user'],
  regbadct: ['3.1.2.13', '400 Bad Contact'],
  // What it means is clear.
  badaspec: ['3.1.2.14', '200 OK'],
  baddn: ['3.1.2.15', '200 OK'],
  badvers: ['3.1.2.16', '505 Version Not Supported'],
  mismatch01: ['3.1.2.17', '400 CSeq has another method'],
  mismatch02: ['3.1.2.18', '501 Not Implemented', ALLOW],
  bigcode: ['3.1.2.19', DROPPED],
  badbranch: ['3.2.1', '200 OK'],
  insuf: ['3.3.1', '400 No from'],
  unkscm: ['3.3.2', '416 Unsupported URI Scheme'],
  novelsc: ['3.3.3', '416 Unsupported URI Scheme'],
  unksm2: ['3.3.4', '400 Bad To'],
  bext01: ['3.3.5', '420 Bad Extension', 'Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n'],
  invut: ['3.3.6', '415 Unsupported Media Type', 'Accept: application/sdp\r\n'],
  // Guests may register here; whatever they say of themselves is not looked at.
  regaut01: ['3.3.7', '200 OK'],
  multi01: ['3.3.8', '400 More than one cseq'],
  mcl01: ['3.3.9', '400 More than one content-length', undefined, '400 More than one content-length; closed'],
  bcast: ['3.3.10', DROPPED],
  // It is for us, and goes no further.
  zeromf: ['3.3.11', '200 OK'],
  cparam01: ['3.3.12', '200 OK', 'Contact: <sip:+19725552222@gw1.example.net>;unknownparam;expires'],
  cparam02: ['3.3.13', '200 OK', 'Contact: <sip:+19725552222@gw1.example.net;unknownparam>;expires'],
  regescrt: ['3.3.14', '200 OK', 'Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires'],
  sdp01: ['3.3.15', '406 Not Acceptable'],
  // RFC 2543 did without a Content-Length on a stream as well; we do not.
  inv2543: ['3.3.16', '180 Ringing; calls UserB', undefined, 'closed'],
  'ipv6-good': ['4.1', '200 OK', 'Contact: <sip:caller@[2001:db8::1]>;expires'],
  'ipv6-bad': ['4.2', '400 Bad Request-URI'],
  'port-ambiguous': ['4.3', '200 OK'],
  'port-unambiguous': ['4.4', '200 OK'],
  'via-received-param-with-delim': ['4.5', '481 Call/Transaction Does Not Exist'],
  'via-received-param-no-delim': ['4.5', '200 OK'],
  'ipv6-in-sdp': ['4.6', '180 Ringing; calls user'],
  'mult-ip-in-header': ['4.7', '481 Call/Transaction Does Not Exist'],
  'mult-ip-in-sdp': ['4.8', '180 Ringing; calls user'],
  'ipv4-mapped-ipv6': ['4.9', '180 Ringing; calls user'],
  'ipv6-bug-abnf-3-colons': ['4.10', '200 OK'],
  'ipv6-correct-abnf-2-colons': ['4.10', '200 OK'],
};

interface Told {
  readonly outcome: string;
  readonly answers: readonly string[];
}

/** What is sent back is kept as it is: some of it lacks what a message must have, since its request did. */
class Server {
  readonly #told: string[] = [];
  readonly #answers: string[] = [];
  readonly #flow: Flow;
  readonly #endpoint: SignallingEndpoint;
  offer: string | null = null;

  constructor(transport: 'udp' | 'tcp') {
    this.#flow = {
      transport,
      reliable: transport === 'tcp',
      remoteAddress: '192.0.2.7',
      remotePort: 5062,
      localAddress: '192.0.2.1',
      localPort: 5060,
      closed: false,
      send: bytes => {
        const text = bytes.toString();
        this.#answers.push(text);
        this.#told.push(/^SIP\/2\.0 (.*)\r\n/.exec(text)![1]!);
        return true;
      },
      close: () => undefined,
    };
    this.#endpoint = new SignallingEndpoint({
      clock: new FakeClock(),
      log: createLogger({ level: 'silent' }),
      guests: true,
      handlers: {
        invite: call => {
          call.ring();
          this.#told.push(`calls ${call.target}`);
          this.offer = call.offer;
        },
      },
    });
  }

  datagram(bytes: Buffer): Told {
    this.#endpoint.receive(this.#flow, bytes);
    return this.#result();
  }

  stream(bytes: Buffer): Told {
    for (const framed of new StreamFramer().push(bytes)) {
      if (framed.type === 'message') this.#endpoint.receive(this.#flow, framed.bytes);
      if (framed.type === 'error') this.#told.push('closed');
    }
    return this.#result();
  }

  #result(): Told {
    return { outcome: this.#told.join('; ') || DROPPED, answers: this.#answers };
  }
}

const bytesOf = (name: string) => VECTORS.get(name)!.bytes;

describe('a message that is meant to break a server', () => {
  const rows: Record<string, string>[] = [];
  after(() => console.table(rows));

  test('is one of the 49 of RFC 4475 or the 12 of RFC 5118, and each has its outcome', () => {
    const count = (rfc: number) => [...VECTORS.values()].filter(vector => vector.rfc === rfc).length;
    assert.deepEqual([count(4475), count(5118)], [49, 12]);
    assert.deepEqual(Object.keys(OUTCOMES).sort(), [...VECTORS.keys()].sort());
  });

  for (const [name, [section, datagram, header, stream = datagram]] of Object.entries(OUTCOMES)) {
    test(`RFC ${VECTORS.get(name)!.rfc} §${section} ${name}: ${datagram}`, () => {
      const told = new Server('udp').datagram(bytesOf(name));
      const onStream = new Server('tcp').stream(bytesOf(name));
      rows.push({ section, name, datagram: told.outcome, stream: onStream.outcome });
      assert.deepEqual([told.outcome, onStream.outcome], [datagram, stream]);
      if (header !== undefined) assert.ok(told.answers[0]!.includes(`\r\n${header}`), told.answers[0]);
    });
  }
});

const uriOf = (text: string) => {
  const { user, host, port, parameters } = parseUri(text)!;
  return { user, host, port, parameters: Object.fromEntries(parameters) };
};
const viasOf = (message: Request | Response) =>
  message.list('via').map(text => {
    const { transport, host, port, parameters } = parseVia(text)!;
    return [transport, host, port, parameters.get('branch') ?? null];
  });
const contactsOf = (message: Request | Response) =>
  message.list('contact').map(text => {
    const contact = parseNameAddr(text)!;
    return [contact.displayName, contact.uri, Object.fromEntries(contact.parameters)];
  });

/** By name: what it is understood as. */
const UNDERSTOOD: readonly (readonly [name: string, read: (message: Request) => unknown, expected: unknown])[] = [
  ['wsinv', request => [request.method, request.uri], ['INVITE', 'sip:vivekg@chair-dnrc.example.com;unknownparam']],
  ['wsinv', request => [request.to!.uri, request.toTag], ['sip:vivekg@chair-dnrc.example.com', '1918181833n']],
  [
    'wsinv',
    ({ from, fromTag }) => [from!.displayName, from!.uri, fromTag],
    ['J Rosenberg \\"', 'sip:jdrosen@example.com', '98asjd8'],
  ],
  ['wsinv', request => request.cseq, { number: 9, method: 'INVITE' }],
  [
    'wsinv',
    viasOf,
    [
      ['UDP', '192.0.2.2', null, '390skdjuw'],
      ['TCP', 'spindle.example.com', null, 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', null, 'z9hG4bK30239'],
    ],
  ],
  [
    'wsinv',
    contactsOf,
    [['Quoted string ""', 'sip:jdrosen@example.com', { newparam: 'newvalue', secondparam: null, q: '0.33' }]],
  ],
  ['wsinv', request => request.get('newfangledheader'), 'newfangled value continued newfangled value'],
  ['wsinv', request => [request.get('subject'), request.get('unknownheaderwithunusualvalue')], ['', ';;,,;;,;']],
  ['wsinv', request => request.body.length, 150],
  ['intmeth', request => request.method, "!interesting-Method0123456789_*+`.%indeed'~"],
  ['intmeth', request => uriOf(request.uri).user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"],
  ['intmeth', request => request.to!.displayName, 'BEL:\x07 NUL:\0 DEL:\x7f'],
  ['intmeth', request => request.from!.displayName, "token1~` token2'+_ token3*%!.-"],
  ['intmeth', request => request.from!.parameters.get("fromparam''~+*_!.-%"), 'работающий'],
  ['intmeth', request => request.fromTag, "_token~1'+`*%!-."],
  ['intmeth', request => request.callId, `intmeth.word%ZK-!.*_+'@word\`~)(><:\\/"][?}{`],
  ['intmeth', request => request.get("extensionheader-!.%*+_`'~"), '\u{FEFF}大停電'],
  ['esc01', request => uriOf(request.uri).user, 'sips:user@example.com'],
  ['esc01', request => [parsedUri(request.to!)!.user, parsedUri(request.from!)!.user], ['user', 'I have spaces']],
  [
    'esc01',
    request => uriOf(parseNameAddr(request.get('contact')!)!.uri),
    { user: 'caller', host: 'host5.example.net', port: null, parameters: { lr: null, name: 'value%41' } },
  ],
  ['escnull', request => parsedUri(request.to!)!.user, 'null-\0-null'],
  ['escnull', request => request.list('contact').map(text => uriOf(parseNameAddr(text)!.uri).user), ['\0', '\0\0']],
  ['esc02', request => [request.method, request.to!.displayName], ['RE%47IST%45R', '%Z%45']],
  [
    'esc02',
    request => [request.list('contact').length, request.get('c%6fntact')],
    [2, '<sip:alias2@host2.example.com>'],
  ],
  ['lwsdisp', request => [request.from!.displayName, request.from!.uri], ['caller', 'sip:caller@example.com']],
  ['longreq', request => [request.list('via').length, request.via!.host], [34, 'sip33.example.com']],
  ['longreq', request => request.fromTag, `12${'982'.repeat(50)}424`],
  ['semiuri', request => uriOf(request.uri).user, 'user;par=u@example.net'],
  ['semiuri', request => request.list('accept').length, 6],
  ['transports', request => viasOf(request).map(([transport]) => transport), ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP']],
  ['mpart01', request => [request.body.length, request.body.includes(0)], [553, true]],
  ['badbranch', request => request.via!.parameters.get('branch'), 'z9hG4bK'],
  ['badaspec', request => request.to!.uri, 'sip:t.watson@example.org'],
  ['baddn', request => request.from!.displayName, 'Bell, Alexander'],
  ['cparam01', contactsOf, [['', 'sip:+19725552222@gw1.example.net', { unknownparam: null }]]],
  ['cparam02', contactsOf, [['', 'sip:+19725552222@gw1.example.net;unknownparam', {}]]],
  ['inv2543', request => [request.fromTag, request.to!.parameters.get('user')], [null, 'phone']],
  ['ipv6-good', request => uriOf(request.uri).host, '2001:db8::10'],
  ['ipv6-good', request => request.via!.host, '2001:db8::9:1'],
  ['port-ambiguous', request => [uriOf(request.uri).host, uriOf(request.uri).port], ['2001:db8::10:5070', null]],
  ['port-unambiguous', request => [uriOf(request.uri).host, uriOf(request.uri).port], ['2001:db8::10', 5070]],
  ['via-received-param-with-delim', request => request.via!.parameters.get('received'), '2001:db8::9:255'],
  ['via-received-param-no-delim', request => request.via!.parameters.get('received'), '2001:db8::9:255'],
  [
    'mult-ip-in-header',
    request => viasOf(request).map(([, host, port]) => [host, port]),
    [
      ['2001:db8::9:1', 6050],
      ['192.0.2.1', null],
      ['2001:db8::9:255', null],
    ],
  ],
  [
    'ipv4-mapped-ipv6',
    request => viasOf(request).map(([, host, port]) => [host, port]),
    [
      ['::ffff:192.0.2.10', 19_823],
      ['::ffff:192.0.2.2', null],
    ],
  ],
  ['ipv6-bug-abnf-3-colons', request => uriOf(request.uri).host, '2001:db8::192.0.2.1'],
  ['ipv6-correct-abnf-2-colons', request => uriOf(request.uri).host, '2001:db8::192.0.2.1'],
];

describe('a message that looks broken and is not is understood', () => {
  for (const [name, read, expected] of UNDERSTOOD) {
    test(`${name}: ${JSON.stringify(expected)}`, () => {
      const message = parsed(bytesOf(name));
      assert.ok(message instanceof Request);
      assert.deepEqual(read(message), expected);
    });
  }

  for (const [name, status, reason] of [
    ['unreason', 200, '= 2**3 * 5**2 но сто девяносто девять - простое'],
    ['noreason', 100, ''],
    ['bcast', 200, 'OK'],
  ] as const) {
    test(`${name}: ${status} ${reason}`, () => {
      const message = parsed(bytesOf(name));
      assert.ok(!(message instanceof Request));
      assert.deepEqual([message.status, message.reason], [status, reason]);
    });
  }

  for (const name of ['esc01', 'ipv6-in-sdp', 'mult-ip-in-sdp', 'ipv4-mapped-ipv6', 'inv2543']) {
    test(`${name}: its offer is its body`, () => {
      const server = new Server('udp');
      server.datagram(bytesOf(name));
      assert.equal(server.offer, parsed(bytesOf(name)).body.toString());
    });
  }
});

// §3.2.1: a branch that is nothing but the cookie names no transaction.
test('two requests with the branch of badbranch are two', () => {
  const server = new Server('udp');
  const first = bytesOf('badbranch');
  const second = Buffer.from(first.toString().replace('badbranch.', 'other.'));
  assert.equal(server.datagram(first).outcome, '200 OK');
  const { answers } = server.datagram(second);
  assert.ok(answers.length === 2 && answers[1]!.includes('\r\nCall-ID: other.'));
});

test('an offer inside a multipart body is the offer (RFC 5621)', () => {
  const server = new Server('udp');
  const sdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n';
  const body = [
    '--b\r\nContent-Type: application/sdp\r\n\r\n',
    sdp,
    '\r\n--b\r\nContent-Type: application/ISUP\r\nContent-Disposition: signal; handling=optional\r\n\r\n\x01\r\n--b--\r\n',
  ].join('');
  const text = bytesOf('esc01').toString();
  const head = text.slice(0, text.indexOf('\r\n\r\n')).replace('C: application/sdp', 'C: multipart/mixed; boundary=b');
  const bytes = Buffer.from(`${head.replace(/Content-Length: \d+/, `Content-Length: ${body.length}`)}\r\n\r\n${body}`);
  assert.equal(server.datagram(bytes).outcome, '180 Ringing; calls sips:user@example.com');
  assert.equal(server.offer, sdp);
});
