import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Certificates } from '../../test/support/certificates.ts';
import { DialcastError } from '../errors.ts';
import { parseConfig } from './index.ts';

const certificates = new Certificates();
after(() => certificates.remove());
const ca = certificates.authority();
writeFileSync(join(certificates.folder, 'text.pem'), 'no certificate');

const parse = (platform: string) =>
  parseConfig(
    `channels: [{number: 1, name: clock, source: "testcard:"}]\nplatforms:\n  - {user: tv, password: secret, ${platform}}`,
    join(certificates.folder, 'tv.yaml'),
    { interfaces: {}, sourceKinds: ['testcard'] },
  ).platforms;

describe('a platform', () => {
  for (const [registrar, host, port] of [
    ['sip.example.org', 'sip.example.org', null],
    ['sip.example.org:5080', 'sip.example.org', 5080],
    ['192.0.2.1', '192.0.2.1', null],
    ['"[2001:db8::1]:5080"', '2001:db8::1', 5080],
  ] as const) {
    it(`is found at ${registrar}`, () => {
      const [platform] = parse(`channel: clock, registrar: ${registrar}`);
      assert.deepEqual(platform, {
        registrar: { host, port, transport: null },
        ca: null,
        user: 'tv',
        password: 'secret',
        channel: 'clock',
        expiresSeconds: 600,
      });
    });
  }

  it('has a transport, authorities beside the file, and a time', () => {
    const [platform] = parse('channel: clock, registrar: a.example, transport: tls, ca: ca.pem, expires: 60');
    assert.deepEqual(platform?.registrar, { host: 'a.example', port: null, transport: 'tls' });
    assert.deepEqual([platform.ca, platform.expiresSeconds], [ca, 60]);
  });

  for (const [name, text, message] of [
    [
      'a transport that is none of ours',
      'channel: clock, registrar: a.example, transport: ws',
      'transport: "ws" is not allowed; write udp, tcp or tls; left out, DNS tells, or it is udp',
    ],
    [
      'authorities that are not there',
      'channel: clock, registrar: a.example, ca: none.pem',
      'ca: FOLDER/none.pem cannot be read (ENOENT); check the path and the permissions',
    ],
    [
      'authorities that are none',
      'channel: clock, registrar: a.example, ca: text.pem',
      'ca: FOLDER/text.pem holds no certificate in PEM; name a file that begins with -----BEGIN CERTIFICATE-----',
    ],
    [
      'a port that there is not',
      'channel: clock, registrar: "a.example:70000"',
      'registrar: a.example:70000 has a port that there is not; write a port from 1 to 65535',
    ],
    [
      'a channel that there is not',
      'channel: news, registrar: a.example',
      'channel: there is no channel named news; write one of clock',
    ],
  ] as const) {
    it(`is refused for ${name}`, () => {
      assert.throws(
        () => parse(text),
        (error: DialcastError) => {
          assert.ok(error instanceof DialcastError);
          const detail = error.detail.replaceAll(certificates.folder, 'FOLDER');
          assert.equal(detail.replace(/^.*?: platforms\[0\]\./, ''), message);
          return true;
        },
      );
    });
  }
});
