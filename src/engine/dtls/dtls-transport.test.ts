import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { missing } from '../../../test/interop/support/programs.ts';
import { DtlsClient, type Identity, makeIdentity } from '../../../test/support/dtls-client.ts';
import { type DtlsSession, loadNative } from '../native.ts';
import { deriveKeys, SrtcpReceiver, SrtcpSender, splitKeyingMaterial } from '../srtp/index.ts';
import { DtlsTransport, type Fingerprint } from './index.ts';

const native = loadNative();
const OPENSSL = { skip: missing('openssl'), timeout: 20_000 };
const GCM = { profiles: 'SRTP_AEAD_AES_128_GCM', exportBytes: 56 };

/** A session in which nothing happens. */
const IDLE: DtlsSession = {
  state: 'handshaking',
  error: null,
  receive: () => [],
  timeoutMs: () => null,
  handleTimeout: () => [],
  peerCertificate: () => null,
  srtpProfile: () => null,
  exportKeyingMaterial: () => Buffer.alloc(0),
  close: () => [],
};

const newSession = () => new native.DtlsSession(new native.DtlsContext(), { mtuBytes: 1200 });

function fingerprint(
  { certificate }: Identity,
  hash: 'sha-256' | 'sha-384' | 'sha-512' | 'sha-1' = 'sha-256',
): Fingerprint {
  const digest = createHash(hash.replace('-', '')).update(certificate.raw).digest('hex').toUpperCase();
  return { hash, value: digest.match(/../g)!.join(':') };
}

/** A transport that expects these fingerprints, and a client on its way to it. */
async function connect(
  t: TestContext,
  fingerprints: readonly Fingerprint[],
  options: { identity: Identity | null; profiles: string | null; exportBytes: number },
) {
  const transport = new DtlsTransport(newSession(), fingerprints);
  const client = await DtlsClient.connect(t, { ...options, receive: datagram => transport.receive(datagram) });
  return { transport, client };
}

describe('a DTLS handshake with a real client', OPENSSL, () => {
  for (const [profiles, profile, exportBytes] of [
    ['SRTP_AEAD_AES_128_GCM', 'AEAD_AES_128_GCM', 56],
    ['SRTP_AES128_CM_SHA1_80', 'AES_CM_128_HMAC_SHA1_80', 60],
    // Ours is the choice, whatever stands first.
    ['SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM', 'AEAD_AES_128_GCM', 56],
    ['SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80', 'AES_CM_128_HMAC_SHA1_80', 60],
  ] as const) {
    it(`agrees on ${profile} from ${profiles}, with the same keys on both sides`, async t => {
      const identity = makeIdentity(t);
      const { transport, client } = await connect(t, [fingerprint(identity)], { identity, profiles, exportBytes });
      assert.equal(transport.srtpKeys, null);
      const material = splitKeyingMaterial(profile, await client.keyingMaterial());
      await client.until(() => transport.state === 'connected');
      assert.deepEqual(transport.srtpKeys, deriveKeys(material.server, 'rtp'));
      assert.equal(transport.error, null);
      const report = Buffer.concat([Buffer.from('80c80006', 'hex'), randomBytes(24)]);
      const received = new SrtcpReceiver(deriveKeys(material.server, 'rtcp')).unprotect(transport.protectRtcp(report)!);
      assert.deepEqual(received, report);
      const feedback = new SrtcpSender(deriveKeys(material.client, 'rtcp')).protect(report)!;
      assert.deepEqual(transport.unprotectRtcp(feedback), report);
    });
  }

  for (const hash of ['sha-256', 'sha-384', 'sha-512'] as const) {
    it(`knows the client by the ${hash} of its certificate`, async t => {
      const identity = makeIdentity(t);
      const wrong = { hash: 'sha-256', value: 'AA:BB' };
      const { transport, client } = await connect(t, [wrong, fingerprint(identity, hash)], { identity, ...GCM });
      await client.until(() => transport.state === 'connected');
    });
  }

  it("attack: somebody else's certificate is refused, and nothing is encrypted for it", async t => {
    const [announced, identity] = [makeIdentity(t), makeIdentity(t)];
    const { transport, client } = await connect(t, [fingerprint(announced)], { identity, ...GCM });
    await client.until(() => transport.state === 'failed');
    assert.equal(transport.error, 'the certificate is not the one of the offer');
    assert.equal(transport.srtpKeys, null);
    assert.equal(transport.protectRtcp(Buffer.alloc(32)), null);
    assert.deepEqual(transport.receive(randomBytes(64)), []);
  });

  it('attack: a fingerprint of SHA-1 proves nothing', async t => {
    const identity = makeIdentity(t);
    const { transport, client } = await connect(t, [fingerprint(identity, 'sha-1')], { identity, ...GCM });
    await client.until(() => transport.state === 'failed');
  });

  it('attack: a client without a certificate is refused', async t => {
    const { transport, client } = await connect(t, [fingerprint(makeIdentity(t))], { identity: null, ...GCM });
    await client.until(() => transport.state === 'failed');
    assert.match(transport.error ?? '', /certificate/);
  });

  it('fails without a protection profile in common', async t => {
    const identity = makeIdentity(t);
    const { transport, client } = await connect(t, [fingerprint(identity)], {
      identity,
      profiles: null,
      exportBytes: 56,
    });
    await client.until(() => transport.state === 'failed');
    assert.equal(transport.error, 'no SRTP protection profile in common');
  });

  it('notices that the client says goodbye', async t => {
    const identity = makeIdentity(t);
    const { transport, client } = await connect(t, [fingerprint(identity)], { identity, ...GCM });
    await client.until(() => transport.state === 'connected');
    client.quit();
    await client.until(() => transport.state === 'closed');
  });

  it('survives garbage in its midst', async t => {
    const identity = makeIdentity(t);
    const transport = new DtlsTransport(newSession(), [fingerprint(identity)]);
    const client = await DtlsClient.connect(t, {
      identity,
      ...GCM,
      receive: datagram => {
        const damaged = Buffer.from(datagram);
        damaged[damaged.length - 1]! ^= 0xff;
        // A record of another epoch, one cut short, one of zeros: none is for anybody.
        const junk = [datagram.subarray(0, 12), Buffer.alloc(100), Buffer.from('16fefd0009', 'hex'), randomBytes(200)];
        return [...junk, datagram].flatMap(each => transport.receive(each));
      },
    });
    await client.until(() => transport.state === 'connected');
  });
});

describe('the last flight of a handshake', () => {
  for (const [timeoutMs, flights] of [
    [null, 0],
    [1, 0],
    [0, 1],
    [-5, 1],
  ] as const) {
    const due = timeoutMs === null ? 'no flight waits' : `${timeoutMs} ms are left`;
    it(`is ${flights === 0 ? 'not ' : ''}sent again when ${due}`, () => {
      const session = { ...IDLE, timeoutMs: () => timeoutMs, handleTimeout: () => [Buffer.from('flight')] };
      assert.equal(new DtlsTransport(session, []).handleTimeout().length, flights);
    });
  }
});

describe('a DTLS session', () => {
  it('has a context with a fingerprint of its own', () => {
    const [one, other] = [new native.DtlsContext(), new native.DtlsContext()];
    assert.match(one.fingerprint, /^[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/);
    assert.notEqual(one.fingerprint, other.fingerprint);
  });

  it('gives nothing away before it is connected', () => {
    const session = newSession();
    assert.equal(session.state, 'handshaking');
    assert.deepEqual([session.error, session.srtpProfile(), session.peerCertificate()], [null, null, null]);
    assert.throws(() => session.exportKeyingMaterial('EXTRACTOR-dtls_srtp', 56), /once connected/);
    assert.deepEqual(session.close(), []);
    assert.equal(session.state, 'closed');
    assert.deepEqual(session.receive(randomBytes(50)), []);
  });

  it('attack: garbage of any kind neither crashes it nor is answered with more than it was', () => {
    const record = fc
      .tuple(fc.constantFrom(20, 21, 22, 23, 26, 255), fc.uint8Array({ maxLength: 300 }), fc.nat(400))
      .map(([type, body, length]) => {
        const header = Buffer.from([type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, length >> 8, length & 255]);
        return Buffer.concat([header, body]);
      });
    const datagrams = fc.array(fc.oneof(fc.uint8Array({ maxLength: 1500 }).map(Buffer.from), record), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(datagrams, all => {
        const session = newSession();
        for (const datagram of all) {
          const answers = session.receive(datagram);
          assert.ok(Buffer.concat(answers).length <= Math.max(datagram.length, 32));
        }
        assert.notEqual(session.state, 'connected');
        session.handleTimeout();
        session.close();
      }),
      { numRuns: 200 },
    );
  });

  it('attack: a datagram longer than any record is left', () => {
    const session = newSession();
    assert.deepEqual(session.receive(Buffer.alloc(65_536, 22)), []);
    assert.deepEqual(session.receive(Buffer.alloc(0)), []);
    assert.equal(session.state, 'handshaking');
  });

  for (const [name, make] of [
    ['no context', () => new native.DtlsSession({ fingerprint: '' }, { mtuBytes: 1200 })],
    ['no MTU', () => new native.DtlsSession(new native.DtlsContext(), {} as { mtuBytes: number })],
    ['text for a datagram', () => newSession().receive('text' as unknown as Buffer)],
  ] as const) {
    it(`throws for ${name}`, () => assert.throws(make, Error));
  }
});
