import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactFields, redactText } from './index.ts';

const TEXTS: readonly {
  readonly what: string;
  readonly text: string;
  readonly secret: string;
  readonly kept: string;
}[] = [
  {
    what: 'a digest answer in a SIP message',
    text: 'REGISTER sip:a SIP/2.0\r\nAuthorization: Digest username="bob", response="5ca1ab1e"\r\nExpires: 60\r\n',
    secret: '5ca1ab1e',
    kept: 'Expires: 60',
  },
  {
    what: 'a folded Proxy-Authorization header',
    text: 'INVITE sip:a SIP/2.0\r\nproxy-authorization : Digest username="bob",\r\n response="5ca1ab1e"\r\nTo: <sip:a>\r\n',
    secret: '5ca1ab1e',
    kept: 'To: <sip:a>',
  },
  {
    what: 'an ICE password',
    text: 'a=ice-ufrag:abcd\r\na=ice-pwd:5ca1ab1e\r\nm=',
    secret: '5ca1ab1e',
    kept: 'a=ice-ufrag:abcd',
  },
  {
    what: 'an SDES key',
    text: 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:5ca1ab1e|2^20\r\n',
    secret: '5ca1ab1e',
    kept: 'AES_CM_128_HMAC_SHA1_80',
  },
  {
    what: 'each of several SDES keys',
    text: 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:dGhpcyBpcw|2^20|1:4;inline:5ca1ab1e|2^20|2:4 UNENCRYPTED_SRTCP\r\nm=',
    secret: '5ca1ab1e',
    kept: '\r\nm=',
  },
  {
    what: 'a key of the SDP of old',
    text: 'c=IN IP4 10.0.0.9\r\nk=base64:5ca1ab1e\r\nt=0 0\r\n',
    secret: '5ca1ab1e',
    kept: 'k=[redacted]\r\nt=0 0',
  },
  {
    what: 'a MIKEY message',
    text: 'a=key-mgmt:mikey 5ca1ab1e\r\nm=audio 6000 RTP/SAVP 0\r\n',
    secret: '5ca1ab1e',
    kept: 'm=audio 6000 RTP/SAVP 0',
  },
  {
    what: "a challenge's nonce",
    text: 'WWW-Authenticate: Digest realm="tv",nonce="5ca1ab1e", algorithm=MD5\r\n',
    secret: '5ca1ab1e',
    kept: 'realm="tv",nonce="[redacted]", algorithm=MD5',
  },
  {
    what: 'the next nonce',
    text: 'Authentication-Info: qop=auth, nextnonce = 5ca1ab1e, nc=00000001\r\n',
    secret: '5ca1ab1e',
    kept: ', nc=00000001',
  },
  {
    what: 'a proof that a server knows the password',
    text: 'Authentication-Info: rspauth="5ca1ab1e"\r\nTo: <sip:a>',
    secret: '5ca1ab1e',
    kept: '\r\nTo: <sip:a>',
  },
  {
    what: 'a password in a URL',
    text: 'rtsp://cam:5ca1ab1e@10.0.0.9/live',
    secret: '5ca1ab1e',
    kept: '@10.0.0.9/live',
  },
  {
    what: 'a password in a SIP URI',
    text: '<sip:bob:5ca1ab1e@example.com>',
    secret: '5ca1ab1e',
    kept: '@example.com>',
  },
  { what: 'a token in a query', text: 'GET /api?token=5ca1ab1e&page=2', secret: '5ca1ab1e', kept: '&page=2' },
  { what: 'a bearer token', text: 'sent Bearer 5ca1ab1e5ca1ab1e to us', secret: '5ca1ab1e', kept: 'to us' },
];

for (const { what, text, secret, kept } of TEXTS) {
  test(`${what} is redacted and what stands around it is kept`, () => {
    const redacted = redactText(text);
    assert.ok(!redacted.includes(secret), redacted);
    assert.ok(redacted.includes(kept), redacted);
  });
}

test('text without credentials is left as it is', () => {
  const text =
    'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\nContact: <sip:clock@10.0.0.1:5060>\r\n';
  assert.equal(redactText(text), text);
});

test('secret fields are redacted at any depth, whatever their spelling', () => {
  const fields = redactFields({
    channel: 'clock',
    headers: { 'Proxy-Authorization': 'Digest x', via: 'v' },
    viewers: [{ icePwd: 'x', ice_pwd: 'y', iceUfrag: 'z' }],
  });
  assert.deepEqual(fields, {
    channel: 'clock',
    headers: { 'Proxy-Authorization': '[redacted]', via: 'v' },
    viewers: [{ icePwd: '[redacted]', ice_pwd: '[redacted]', iceUfrag: 'z' }],
  });
});

test('fields that contain themselves end', () => {
  const fields: Record<string, unknown> = { name: 'clock' };
  fields.self = fields;
  assert.match(JSON.stringify(redactFields(fields)), /too deep/);
});

test('long hostile text is redacted in time that grows with its length, not with its square', () => {
  /** Of the processor; the least of three, since a collection of garbage may fall into one. */
  const cost = (text: string) => {
    const costs = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      redactText(text);
      return process.cpuUsage(before).user / 1_000;
    });
    return Math.min(...costs);
  };
  for (const unit of [
    'a.',
    'a:',
    'sip:a:',
    'password ',
    'Authorization:',
    '\r\n ',
    'Bearer ',
    'a=crypto:1 ',
    'a=crypto:1\t ',
    'nonce = ',
    '\r\nk=',
  ]) {
    const costMs = cost(unit.repeat(65_536 / unit.length));
    assert.ok(costMs < 250, `${JSON.stringify(unit)}: ${costMs} ms`);
  }
});
