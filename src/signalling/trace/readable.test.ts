import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redactText } from '../../observe/index.ts';
import { serialise } from '../message/index.ts';
import { makeInvite, makeRequest } from '../testing.ts';
import { readable } from './readable.ts';

const read = (bytes: Buffer, size = bytes.length) => readable(bytes, size, redactText);

const SECRET = '5ca1ab1e';

describe('a message to be read', () => {
  test('is the message itself when there is nothing to hide', () => {
    const bytes = serialise(makeInvite({ body: 'v=0\r\ns=Fernsehen für alle\r\n' }));
    assert.equal(read(bytes), bytes.toString('utf8'));
  });

  for (const [name, value] of [
    ['authorization', `Digest username="ann", nonce="n", response="${SECRET}"`],
    ['proxy-authorization', `Digest username="ann", response="${SECRET}"`],
    ['authorization', `Bearer ${SECRET}`],
    ['www-authenticate', `Digest realm="tv", nonce="${SECRET}", qop="auth"`],
    ['proxy-authenticate', `Digest realm="tv", nonce="${SECRET}"`],
    ['authentication-info', `nextnonce="${SECRET}"`],
    ['contact', `<sip:ann:${SECRET}@192.0.2.7>`],
  ] as const) {
    test(`has no credentials: ${name}: ${value.split(' ', 1)[0]}`, () => {
      const text = read(serialise(makeRequest('REGISTER', { headers: [[name, value]] })));
      assert.ok(!text.includes(SECRET), text);
      assert.match(text, /\[redacted\]/);
      assert.match(text, /^REGISTER sip:news@192\.0\.2\.1 SIP\/2\.0\r\n/);
    });
  }

  for (const line of [
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${SECRET}`,
    `a=ice-pwd:${SECRET}`,
    `k=clear:${SECRET}`,
    `a=key-mgmt:mikey ${SECRET}`,
  ]) {
    test(`has no keys: ${line.split(':', 1)[0]}`, () => {
      const text = read(serialise(makeInvite({ body: `v=0\r\n${line}\r\nm=audio 6000 RTP/SAVP 0\r\n` })));
      assert.ok(!text.includes(SECRET), text);
      assert.match(text, /\[redacted\].*\r\nm=audio 6000 RTP\/SAVP 0\r\n$/);
    });
  }

  test('has no words of a MESSAGE, and says how long they are', () => {
    const bytes = serialise(makeRequest('MESSAGE', { body: 'Ärger mit Bob' }));
    assert.equal(read(bytes), `${bytes.toString('utf8').split('Ärger', 1)[0]}[14 bytes]`);
  });

  test('has none of a MESSAGE that is not well-formed either, or of what answers one', () => {
    for (const head of [
      'message sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n',
      'TEXT sip:a SIP/2.0\r\nCSeq : 1  MESSAGE\r\n\r\n',
      'SIP/2.0 200 OK\r\ncseq: 1 MESSAGE\r\n\r\n',
    ]) {
      assert.equal(read(Buffer.from(`${head}${SECRET}`)), `${head}[8 bytes]`);
    }
  });

  test('of which the end is missing says how much', () => {
    const bytes = serialise(makeInvite({ body: 'v=0\r\ns=-\r\n' }));
    const beginning = bytes.subarray(0, -5);
    assert.equal(read(beginning, bytes.length), `${beginning.toString()}[and 5 bytes more]`);
    const letter = serialise(makeRequest('MESSAGE', { body: 'x'.repeat(20_000) }));
    assert.match(read(letter.subarray(0, 16_384), letter.length), /\r\n\r\n\[20000 bytes\]$/);
  });

  test('of octets that are no UTF-8 is still text', () => {
    const bytes = Buffer.concat([serialise(makeInvite()), Buffer.of(0xff, 0x00)]);
    assert.match(read(bytes), /offer\ufffd\0$/);
  });
});
