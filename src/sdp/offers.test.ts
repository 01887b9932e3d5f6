import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OFFERS, readOffer } from '../../test/vectors/offers/read.ts';
import { type AcceptedMedia, type Capabilities, negotiate } from './index.ts';

const ALL: Capabilities = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] };

interface Expected {
  readonly transport: 'webrtc' | 'rtp';
  /** In the order of the offer: codec and payload type, or the kind of a line that is refused. */
  readonly media: readonly string[];
  /** Feedback of the video. */
  readonly feedback?: AcceptedMedia['feedback'];
  readonly bundle?: readonly string[];
  readonly h264?: Partial<AcceptedMedia>;
  readonly remote?: readonly AcceptedMedia['remote'][];
}

const NONE = { nack: false, pli: false, fir: false };
const EVERY = { nack: true, pli: true, fir: true };
const BROWSER_H264 = {
  packetizationMode: 1,
  profileLevelId: '42e01f',
  maxLevelIdc: 31,
  levelAsymmetryAllowed: true,
} as const;

const EXPECTED: Readonly<Record<string, Expected | string>> = {
  chromium: {
    transport: 'webrtc',
    media: ['opus 111', 'h264 108'],
    feedback: EVERY,
    bundle: ['0', '1'],
    h264: BROWSER_H264,
  },
  'chromium-max-bundle': {
    transport: 'webrtc',
    media: ['opus 111', 'h264 108'],
    feedback: EVERY,
    bundle: ['0', '1'],
    h264: BROWSER_H264,
  },
  'chromium-data': {
    transport: 'webrtc',
    media: ['opus 111', 'h264 108', 'no application'],
    feedback: EVERY,
    bundle: ['0', '1'],
    h264: BROWSER_H264,
  },
  firefox: { transport: 'webrtc', media: ['opus 109', 'vp8 120'], feedback: EVERY, bundle: ['0', '1'] },
  'firefox-max-bundle': { transport: 'webrtc', media: ['opus 109', 'vp8 120'], feedback: EVERY, bundle: ['0', '1'] },
  'conference-bridge': {
    transport: 'webrtc',
    media: ['opus 111', 'h264 107', 'no application'],
    feedback: EVERY,
    bundle: ['audio', 'video'],
    // max-recv-level=e028: level 4.0, above that of profile-level-id.
    h264: { ...BROWSER_H264, maxLevelIdc: 40 },
  },
  baresip: {
    transport: 'rtp',
    media: ['opus 96', 'h264 97'],
    feedback: { ...NONE, pli: true },
    h264: { packetizationMode: 1, profileLevelId: '42e01f', maxLevelIdc: 31, levelAsymmetryAllowed: false },
    remote: [
      { address: '192.0.2.2', port: 39260, rtcpPort: 39261 },
      { address: '192.0.2.2', port: 16692, rtcpPort: 16693 },
    ],
  },
  linphone: {
    transport: 'rtp',
    media: ['opus 96', 'h264 97'],
    feedback: { nack: false, pli: true, fir: true },
    h264: { packetizationMode: 0, profileLevelId: '42801F', maxLevelIdc: 31, levelAsymmetryAllowed: false },
  },
  'desk-phone': {
    transport: 'rtp',
    media: ['pcma 8', 'h264 99', 'no image'],
    feedback: { ...NONE, fir: true },
    h264: { packetizationMode: 0, profileLevelId: '42000D', maxLevelIdc: 13, levelAsymmetryAllowed: false },
    remote: [
      { address: '2001:db8::40', port: 11780, rtcpPort: 11799 },
      { address: '2001:db8::40', port: 11790, rtcpPort: 11791 },
    ],
  },
  sipp: {
    transport: 'rtp',
    media: ['pcmu 0'],
    remote: [{ address: '192.0.2.30', port: 6000, rtcpPort: 6001 }],
  },
  'softphone-sdes':
    'Nothing in common (audio: RTP/SAVP without a DTLS fingerprint is not supported; video: RTP/SAVP without a DTLS fingerprint is not supported); can give video H264, VP8; audio opus, PCMA, PCMU',
};

describe('the offers in test/vectors/offers', () => {
  it('are all expected here', () => assert.deepEqual(Object.keys(EXPECTED).sort(), [...OFFERS].sort()));

  for (const [name, expected] of Object.entries(EXPECTED)) {
    if (typeof expected === 'string') {
      it(`${name}: refused`, () => {
        assert.deepEqual(negotiate(readOffer(name), ALL), { ok: false, status: 488, reason: expected });
      });
      continue;
    }
    it(`${name}: ${expected.media.join(', ')} over ${expected.transport}`, () => {
      const negotiated = negotiate(readOffer(name), ALL);
      assert.ok(negotiated.ok);
      const accepted = negotiated.media.filter(media => media.accepted);
      const video = accepted.find(({ kind }) => kind === 'video');
      const lines = negotiated.media.map(media =>
        media.accepted ? `${media.codec} ${media.payloadType}` : `no ${media.kind}`,
      );
      assert.deepEqual([negotiated.transport, lines], [expected.transport, expected.media]);
      assert.deepEqual(negotiated.webrtc?.bundle, expected.bundle);
      assert.deepEqual(video?.feedback, expected.feedback);
      for (const [key, value] of Object.entries(expected.h264 ?? {})) {
        assert.equal(video?.[key as keyof AcceptedMedia], value, key);
      }
      if (expected.remote) {
        assert.deepEqual(
          accepted.map(({ remote }) => remote),
          expected.remote,
        );
      }
      if (video?.codec === 'vp8') assert.deepEqual([video.packetizationMode, video.maxLevelIdc], [1, null]);
      assert.ok(accepted.every(({ sending, direction }) => sending && direction === 'sendonly'));
      assert.ok(accepted.every(({ rtcpMux }) => rtcpMux === (expected.transport === 'webrtc')));
    });
  }

  it('vp8 is taken where a channel has nothing else, or nothing else is offered', () => {
    for (const name of ['chromium', 'baresip', 'linphone']) {
      const negotiated = negotiate(readOffer(name), { video: ['vp8'], audio: ['opus'] });
      assert.ok(negotiated.ok);
      assert.deepEqual(
        negotiated.media.map(media => media.accepted && media.codec),
        ['opus', 'vp8'],
      );
    }
  });

  it('of a browser name its credentials and every fingerprint', () => {
    const negotiated = negotiate(readOffer('conference-bridge'), ALL);
    assert.ok(negotiated.ok && negotiated.webrtc);
    const { iceUfrag, icePwd, fingerprints } = negotiated.webrtc;
    assert.deepEqual([iceUfrag, icePwd], ['1a2b3', '5c0rr3ctH0rs3Batt3rySt4pl3']);
    assert.deepEqual(
      fingerprints.map(({ hash, value }) => [hash, value.slice(0, 8)]),
      [
        ['sha-1', '4A:AD:B9'],
        ['sha-256', 'F5:E8:C2'],
      ],
    );
  });
});
