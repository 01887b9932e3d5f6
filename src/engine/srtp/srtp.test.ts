import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { GCM_RTCP, HMAC_RTCP, KEY_DERIVATION } from '../../../test/vectors/srtp.ts';
import type { SrtpProfile } from '../native.ts';
import {
  deriveKeys,
  keyingMaterialBytes,
  SrtcpReceiver,
  SrtcpSender,
  splitKeyingMaterial,
  srtpProfile,
} from './index.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const MASTER = {
  profile: 'AES_CM_128_HMAC_SHA1_80',
  key: hex(KEY_DERIVATION.masterKey),
  salt: hex(KEY_DERIVATION.masterSalt),
} as const;
const PROFILES: readonly SrtpProfile[] = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];

describe('session keys', () => {
  it('are those of RFC 3711 §B.3', () => {
    const { encryptionKey, salt, authenticationKey } = deriveKeys(MASTER, 'rtp');
    assert.deepEqual(
      [encryptionKey, salt, authenticationKey],
      [hex(KEY_DERIVATION.key), hex(KEY_DERIVATION.salt), hex(KEY_DERIVATION.authenticationKey)],
    );
  });

  it('of RTCP are others than those of RTP', () => {
    const [rtp, rtcp] = [deriveKeys(MASTER, 'rtp'), deriveKeys(MASTER, 'rtcp')];
    for (const key of ['encryptionKey', 'salt', 'authenticationKey'] as const) assert.notDeepEqual(rtp[key], rtcp[key]);
  });

  it('have the lengths of their profile, with no authentication key for GCM', () => {
    for (const [profile, salt, authentication] of [
      ['AEAD_AES_128_GCM', 12, 0],
      ['AES_CM_128_HMAC_SHA1_80', 14, 20],
    ] as const) {
      const keys = deriveKeys({ profile, key: Buffer.alloc(16), salt: Buffer.alloc(salt) }, 'rtp');
      const lengths = [keys.encryptionKey.length, keys.salt.length, keys.authenticationKey.length];
      assert.deepEqual(lengths, [16, salt, authentication]);
    }
  });
});

describe('keying material of DTLS', () => {
  for (const [id, profile, bytes] of [
    [0x0007, 'AEAD_AES_128_GCM', 56],
    [0x0001, 'AES_CM_128_HMAC_SHA1_80', 60],
  ] as const) {
    it(`for profile ${id} is ${bytes} bytes: client key, server key, client salt, server salt`, () => {
      assert.equal(srtpProfile(id), profile);
      assert.equal(keyingMaterialBytes(profile), bytes);
      const material = Buffer.from(Array.from({ length: bytes }, (_, index) => index));
      const { client, server } = splitKeyingMaterial(profile, material);
      assert.deepEqual(Buffer.concat([client.key, server.key, client.salt, server.salt]), material);
      assert.deepEqual([client.key.length, server.salt.length], [16, bytes / 2 - 16]);
    });
  }

  it('is not read for a profile that we do not have, or for none', () => {
    for (const id of [0x0002, 0x0005, 0x0008, null]) assert.equal(srtpProfile(id), null);
  });
});

describe('SRTCP of others', () => {
  it('AEAD_AES_128_GCM: RFC 7714 §17.1 is read', () => {
    const keys = {
      profile: 'AEAD_AES_128_GCM',
      encryptionKey: hex(GCM_RTCP.key),
      salt: hex(GCM_RTCP.salt),
      authenticationKey: Buffer.alloc(0),
    } as const;
    assert.deepEqual(new SrtcpReceiver(keys).unprotect(hex(GCM_RTCP.protected)), hex(GCM_RTCP.plain));
  });

  it("AES_CM_128_HMAC_SHA1_80: libsrtp's packet is read, and written", () => {
    const keys = deriveKeys(MASTER, 'rtcp');
    assert.deepEqual(new SrtcpReceiver(keys).unprotect(hex(HMAC_RTCP.protected)), hex(HMAC_RTCP.plain));
    const sender = new SrtcpSender(keys);
    sender.protect(hex(HMAC_RTCP.plain));
    assert.deepEqual(sender.protect(hex(HMAC_RTCP.plain)), hex(HMAC_RTCP.protected));
  });
});

for (const profile of PROFILES) {
  const setUp = () => {
    const salt = randomBytes(profile === 'AEAD_AES_128_GCM' ? 12 : 14);
    const keys = deriveKeys({ profile, key: randomBytes(16), salt }, 'rtcp');
    return { sender: new SrtcpSender(keys), receiver: new SrtcpReceiver(keys) };
  };
  const compound = (bytes = 52) => Buffer.concat([Buffer.from('80c80001deadbeef', 'hex'), randomBytes(bytes - 8)]);
  const protect = (sender: SrtcpSender, plain = compound()) => sender.protect(plain) ?? assert.fail('no packet');

  describe(`SRTCP with ${profile}`, () => {
    it('leaves the header in the clear and nothing else', () => {
      const { sender, receiver } = setUp();
      const plain = compound();
      const packet = protect(sender, plain);
      assert.deepEqual(packet.subarray(0, 8), plain.subarray(0, 8));
      assert.ok(!packet.includes(plain.subarray(8, 24)));
      assert.deepEqual(receiver.unprotect(packet), plain);
    });

    it('never uses an index twice: the same packet is another one each time', () => {
      const { sender } = setUp();
      const plain = compound();
      const packets = Array.from({ length: 50 }, () => protect(sender, plain).toString('hex'));
      assert.equal(new Set(packets).size, 50);
    });

    it('takes packets in any order within the window', () => {
      const { sender, receiver } = setUp();
      const packets = Array.from({ length: 64 }, () => protect(sender));
      for (const packet of packets.toReversed()) assert.ok(receiver.unprotect(packet));
    });

    it('takes a packet after a gap', () => {
      const { sender, receiver } = setUp();
      assert.ok(receiver.unprotect(protect(sender)));
      for (let lost = 0; lost < 200; lost++) protect(sender);
      assert.ok(receiver.unprotect(protect(sender)));
    });

    it('attack: a replayed packet is refused, at once and later', () => {
      const { sender, receiver } = setUp();
      const [first, ...rest] = Array.from({ length: 66 }, () => protect(sender)) as [Buffer, ...Buffer[]];
      assert.ok(receiver.unprotect(first));
      assert.equal(receiver.unprotect(first), null);
      for (const packet of rest) {
        assert.ok(receiver.unprotect(packet));
        assert.equal(receiver.unprotect(packet), null);
        assert.equal(receiver.unprotect(first), null);
      }
    });

    it('attack: a packet from before the window is refused although it was never seen', () => {
      const { sender, receiver } = setUp();
      const packets = Array.from({ length: 65 }, () => protect(sender));
      assert.ok(receiver.unprotect(packets[64]!));
      assert.equal(receiver.unprotect(packets[0]!), null);
      assert.ok(receiver.unprotect(packets[1]!));
    });

    it('attack: a packet of which any bit was changed is refused, and does not move the window', () => {
      const { sender, receiver } = setUp();
      const packet = protect(sender);
      for (let bit = 0; bit < packet.length * 8; bit++) {
        const forged = Buffer.from(packet);
        forged[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(receiver.unprotect(forged), null, `bit ${bit}`);
      }
      assert.ok(receiver.unprotect(packet));
    });

    it('attack: a packet that is cut short is refused', () => {
      const { sender, receiver } = setUp();
      const packet = protect(sender);
      for (let bytes = 0; bytes < packet.length; bytes++) {
        assert.equal(receiver.unprotect(packet.subarray(0, bytes)), null, `${bytes} bytes`);
      }
    });

    it("attack: another caller's packet is refused", () => {
      assert.equal(setUp().receiver.unprotect(protect(setUp().sender)), null);
    });
  });
}
