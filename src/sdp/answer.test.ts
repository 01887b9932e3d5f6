import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'sdp-transform';
import { readOffer } from '../../test/vectors/offers/read.ts';
import { buildAnswer, type Capabilities, type LocalMedia, negotiate } from './index.ts';

const ALL: Capabilities = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] };
const IDENTITY = { sessionId: '1700000000000', version: 3, address: '192.0.2.1' };
const STREAMS = [
  { kind: 'video', ssrc: 1111, cname: 'tv', port: 40_004, rtcpPort: 40_005 },
  { kind: 'audio', ssrc: 2222, cname: 'tv', port: 40_006, rtcpPort: 40_007 },
] as const;
const WEBRTC: LocalMedia = {
  transport: 'webrtc',
  iceUfrag: 'ours1234',
  icePwd: 'our/password+of+24/chars',
  fingerprint: 'AA:BB:CC',
  candidates: [
    { address: '192.0.2.1', port: 40_000 },
    { address: '2001:db8::1', port: 40_000 },
  ],
  streams: STREAMS,
};
const RTP: LocalMedia = { transport: 'rtp', address: '192.0.2.1', streams: STREAMS };

function answer(offer: string, local: LocalMedia = WEBRTC): string {
  const negotiated = negotiate(offer, ALL);
  assert.ok(negotiated.ok);
  return buildAnswer(negotiated, local, IDENTITY);
}

const sections = (text: string) => text.split(/(?=^m=)/m).map(section => section.trimEnd().split('\r\n'));

describe('the answer to Chromium', () => {
  const [session, audio, video] = sections(answer(readOffer('chromium'))) as [string[], string[], string[]];

  it('is an ICE-lite agent with one BUNDLE group', () => {
    assert.deepEqual(session, [
      'v=0',
      'o=- 1700000000000 3 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'a=ice-lite',
      'a=group:BUNDLE 0 1',
    ]);
  });

  it('sends H.264 Constrained Baseline in mode 1, with all its feedback', () => {
    assert.equal(video[0], 'm=video 40000 UDP/TLS/RTP/SAVPF 108');
    for (const line of [
      'a=rtpmap:108 H264/90000',
      'a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
      'a=rtcp-fb:108 nack',
      'a=rtcp-fb:108 nack pli',
      'a=rtcp-fb:108 ccm fir',
      'a=mid:1',
      'a=msid:dialcast video',
      'a=ssrc:1111 cname:tv',
    ]) {
      assert.ok(video.includes(line), line);
    }
  });

  it('sends Opus in packets of 20 ms, in the same stream', () => {
    assert.equal(audio[0], 'm=audio 40000 UDP/TLS/RTP/SAVPF 111');
    for (const line of [
      'a=rtpmap:111 opus/48000/2',
      'a=ptime:20',
      'a=mid:0',
      'a=msid:dialcast audio',
      'a=ssrc:2222 cname:tv',
    ]) {
      assert.ok(audio.includes(line), line);
    }
  });

  it('has the passive transport in every section: Firefox 153 crashes without', () => {
    for (const section of [audio, video]) {
      for (const line of [
        'a=sendonly',
        'a=rtcp-mux',
        'a=setup:passive',
        'a=ice-ufrag:ours1234',
        'a=ice-pwd:our/password+of+24/chars',
        'a=fingerprint:sha-256 AA:BB:CC',
        'a=end-of-candidates',
      ]) {
        assert.ok(section.includes(line), line);
      }
    }
  });

  it('prefers its first candidate (RFC 8445 §5.1.2)', () => {
    const candidates = parse(answer(readOffer('chromium'))).media[0]?.candidates ?? [];
    assert.deepEqual(
      candidates.map(({ ip, port, foundation, priority, type }) => [ip, port, foundation, priority, type]),
      [
        ['192.0.2.1', 40_000, 1, 2_130_706_431, 'host'],
        ['2001:db8::1', 40_000, 2, 2_130_706_175, 'host'],
      ],
    );
  });

  it('has port 9 where there is no candidate', () => {
    const bare = sections(answer(readOffer('chromium'), { ...WEBRTC, candidates: [] }));
    assert.deepEqual(
      bare.map(([first]) => first),
      ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'm=video 9 UDP/TLS/RTP/SAVPF 108'],
    );
  });
});

describe('the answer to a browser', () => {
  it('refuses a data channel, outside of the group', () => {
    const text = answer(readOffer('chromium-data'));
    assert.deepEqual(sections(text)[3], ['m=application 0 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:2', 'a=inactive']);
    assert.match(text, /^a=group:BUNDLE 0 1\r$/m);
  });

  it('repeats the protocol of an old one', () => {
    assert.match(answer(readOffer('conference-bridge')), /^m=video 40000 RTP\/SAVPF 107\r$/m);
  });
});

describe('the answer to a phone', () => {
  it('has ports for RTP and RTCP and nothing of ICE', () => {
    const text = answer(readOffer('baresip'), RTP);
    const [, audio, video] = sections(text) as [string[], string[], string[]];
    assert.deepEqual(audio, [
      'm=audio 40006 RTP/AVP 96',
      'a=rtpmap:96 opus/48000/2',
      'a=rtcp:40007',
      'a=ptime:20',
      'a=sendonly',
      'a=ssrc:2222 cname:tv',
    ]);
    assert.ok(video.includes('a=rtcp:40005'));
    assert.doesNotMatch(text, /ice|candidate|fingerprint|setup|BUNDLE|msid/);
  });

  it('that offers mode 0 says mode 0 and the level of the offer', () => {
    const text = answer(readOffer('desk-phone'), RTP);
    assert.match(text, /^a=fmtp:99 packetization-mode=0;profile-level-id=42000D\r$/m);
    assert.match(text, /^m=image 0 udptl t38\r$/m);
  });

  it('shares a port for RTCP when the offer does', () => {
    const offer = readOffer('sipp').trimEnd();
    assert.match(answer(`${offer}\r\na=rtcp-mux\r\n`, RTP), /^a=rtcp-mux\r$/m);
    assert.doesNotMatch(answer(`${offer}\r\na=rtcp-mux\r\n`, RTP), /^a=rtcp:/m);
  });

  it('says inactive while it holds', () => {
    const text = answer(`${readOffer('sipp').trimEnd()}\r\na=sendonly\r\n`, RTP);
    assert.match(text, /^m=audio 40006 RTP\/AVP 0\r$/m);
    assert.match(text, /^a=inactive\r$/m);
  });

  it('of IPv6 is of IPv6', () => {
    const negotiated = negotiate(readOffer('desk-phone'), ALL);
    assert.ok(negotiated.ok);
    const text = buildAnswer(negotiated, { ...RTP, address: '2001:db8::1' }, { ...IDENTITY, address: '2001:db8::1' });
    assert.match(text, /^o=- 1700000000000 3 IN IP6 2001:db8::1\r$/m);
    assert.match(text, /^c=IN IP6 2001:db8::1\r$/m);
  });
});
