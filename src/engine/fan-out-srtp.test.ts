import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { payloads, push, SRTP_KEYS, STREAM, sequenceNumbers, setUpFanOut, skip } from '../../test/support/fan-out.ts';
import { unprotect } from '../../test/support/srtp.ts';
import { AES_CM, GCM_RTP, HMAC_RTP, KEY_DERIVATION } from '../../test/vectors/srtp.ts';
import type { SrtpKeys } from './native.ts';
import { deriveKeys } from './srtp/index.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

describe('SRTP', { timeout: 10_000 }, () => {
  it('AEAD_AES_128_GCM is that of RFC 7714 §16.1.1', async t => {
    const { fanOut, socket, receiver } = await setUpFanOut(t);
    const plain = hex(GCM_RTP.plain);
    const feed = fanOut.addFeed(1);
    const srtp: SrtpKeys = {
      profile: 'AEAD_AES_128_GCM',
      encryptionKey: hex(GCM_RTP.key),
      salt: hex(GCM_RTP.salt),
      authenticationKey: Buffer.alloc(0),
    };
    const stream = fanOut.addStream({ ssrc: 0x5501a0b2, payloadType: 64, sequenceNumber: 0, timestampOffset: 0, srtp });
    fanOut.subscribe(stream, feed);
    skip(fanOut, feed, 0xf17b);
    fanOut.setPath(stream, socket, receiver.path);
    push(fanOut, feed, [plain.subarray(12)], false, 0x8041f8d3);
    assert.deepEqual(await receiver.take(1), [hex(GCM_RTP.protected)]);
  });

  it("AES_CM_128_HMAC_SHA1_80 is libsrtp's, with the keys of RFC 3711 §B.3", async t => {
    const { fanOut, receiver, feed, watch } = await setUpFanOut(t);
    const master = { key: hex(KEY_DERIVATION.masterKey), salt: hex(KEY_DERIVATION.masterSalt) };
    const srtp = deriveKeys({ profile: 'AES_CM_128_HMAC_SHA1_80', ...master }, 'rtp');
    watch({ ssrc: 0xcafebabe, payloadType: 15, sequenceNumber: 0x1234, timestampOffset: 0, srtp });
    push(fanOut, feed, [hex(HMAC_RTP.plain).subarray(12)], false, 0xdecafbad);
    assert.deepEqual(await receiver.take(1), [hex(HMAC_RTP.protected)]);
  });

  it('AES-CM has the keystream of RFC 3711 §B.2', async t => {
    const { fanOut, receiver, feed, watch } = await setUpFanOut(t);
    const keystream = hex(AES_CM.keystream);
    const srtp: SrtpKeys = {
      profile: 'AES_CM_128_HMAC_SHA1_80',
      encryptionKey: hex(AES_CM.key),
      salt: hex(AES_CM.salt),
      authenticationKey: Buffer.alloc(20),
    };
    watch({ ssrc: 0, sequenceNumber: 0, srtp });
    push(fanOut, feed, [Buffer.alloc(keystream.length)]);
    const [packet] = await receiver.take(1);
    assert.deepEqual(packet?.subarray(12, -10), keystream);
  });

  for (const srtp of SRTP_KEYS) {
    it(`${srtp.profile} goes on over the end of the sequence numbers, with the next rollover counter`, async t => {
      const { fanOut, socket, receiver, feed } = await setUpFanOut(t, 8);
      const stream = fanOut.addStream({ ...STREAM, sequenceNumber: 0, srtp });
      fanOut.subscribe(stream, feed);
      skip(fanOut, feed, 0xffff);
      fanOut.setPath(stream, socket, receiver.path);
      push(fanOut, feed, ['last', 'first']);
      const [last, first] = (await receiver.take(2)) as [Buffer, Buffer];
      assert.deepEqual(sequenceNumbers([last, first]), [0xffff, 0]);
      assert.deepEqual(payloads([unprotect(last, srtp, 0), unprotect(first, srtp, 1)]), ['last', 'first']);
      assert.throws(() => unprotect(first, srtp, 0));
      assert.equal(fanOut.retransmit(stream, 0xffff), true);
      assert.equal(fanOut.retransmit(stream, 0), true);
      assert.deepEqual(await receiver.take(2), [last, first]);
    });
  }
});
