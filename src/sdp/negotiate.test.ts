import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readOffer } from '../../test/vectors/offers/read.ts';
import { type Capabilities, type Negotiated, negotiate } from './index.ts';

const ALL: Capabilities = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] };
const HEAD = ['v=0', 'o=- 1 1 IN IP4 192.0.2.9', 's=-', 'c=IN IP4 192.0.2.9', 't=0 0'];
const AUDIO = ['m=audio 6000 RTP/AVP 0'];
const H264 = [
  'm=video 6002 RTP/AVP 97',
  'a=rtpmap:97 H264/90000',
  'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1',
];
const VP8 = ['m=video 6002 RTP/AVP 98', 'a=rtpmap:98 VP8/90000'];
const BOTH = ['m=video 6002 RTP/AVP 98 97', 'a=rtpmap:98 VP8/90000', ...H264.slice(1)];
const FINGERPRINT = `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`;
const ICE = ['a=ice-ufrag:remo', 'a=ice-pwd:password+of+22/characters'];

const offer = (...sections: (readonly string[])[]) => [...HEAD, ...sections.flat(), ''].join('\r\n');

function agree(text: string, capabilities = ALL, previous: Negotiated | null = null): Negotiated {
  const negotiated = negotiate(text, capabilities, previous);
  assert.ok(negotiated.ok, JSON.stringify(negotiated));
  return negotiated;
}

/** Codec and payload type of each line, null for a refused one. */
const lines = ({ media }: Negotiated) =>
  media.map(line => (line.accepted ? `${line.codec} ${line.payloadType}` : null));

const directions = ({ media }: Negotiated) =>
  media.map(line => (line.accepted ? [line.direction, line.sending] : null));

describe('an offer', () => {
  it('of sound alone gets sound alone', () => assert.deepEqual(lines(agree(offer(AUDIO))), ['pcmu 0']));

  it('of picture alone gets picture alone', () => assert.deepEqual(lines(agree(offer(VP8))), ['vp8 98']));

  it('gets no picture from a channel that has none', () => {
    assert.deepEqual(lines(agree(offer(AUDIO, VP8), { ...ALL, video: [] })), ['pcmu 0', null]);
  });

  it("of a browser gets no sound from a channel that has none, but keeps that line's transport for the picture", () => {
    for (const name of ['chromium', 'firefox'] as const) {
      const { media, webrtc } = agree(readOffer(name), { ...ALL, audio: [] });
      const said = media.map(line => (line.accepted ? [line.kind, line.direction, line.sending] : null));
      const [first, second] = [
        ['audio', 'inactive', false],
        ['video', 'sendonly', true],
      ];
      assert.deepEqual(said, media[0]?.kind === 'audio' ? [first, second] : [second, null]);
      assert.equal(webrtc?.bundle.length, said.filter(line => line !== null).length);
    }
  });

  it('of a browser gets nothing when the channel has nothing of what it wants', () => {
    const sound = readOffer('chromium').split(/(?=^m=)/m);
    const alone = [sound[0]!.replace(/^(a=group:BUNDLE \S+).*$/m, '$1'), sound[1]!].join('');
    assert.equal(agree(alone).media.length, 1);
    assert.equal(negotiate(alone, { ...ALL, audio: [] }).ok, false);
  });

  it('of a second picture gets the first one alone', () => {
    assert.deepEqual(lines(agree(offer(VP8, H264, AUDIO))), ['vp8 98', null, 'pcmu 0']);
  });

  it('of a picture that nobody can give gets the next one', () => {
    const h263 = ['m=video 6002 RTP/AVP 34'];
    assert.deepEqual(lines(agree(offer(h263, VP8))), [null, 'vp8 98']);
  });

  it("of several codecs gets the channel's best, whatever its own order", () => {
    assert.deepEqual(lines(agree(offer(BOTH))), ['h264 97']);
    assert.deepEqual(lines(agree(offer(BOTH), { ...ALL, video: ['vp8', 'h264'] })), ['vp8 98']);
  });

  it('compares names of codecs and parameters without regard to case', () => {
    const shouted = [
      'm=video 6002 RTP/AVP 97',
      'a=rtpmap:97 h264/90000',
      'a=fmtp:97 PACKETIZATION-MODE=1; Profile-Level-ID=42E01F',
    ];
    const [media] = agree(offer(shouted)).media;
    assert.ok(media?.accepted);
    assert.deepEqual([media.codec, media.packetizationMode, media.profileLevelId], ['h264', 1, '42E01F']);
  });

  it('with a disabled line leaves it disabled', () => {
    assert.deepEqual(lines(agree(offer(['m=audio 0 RTP/AVP 0'], VP8))), [null, 'vp8 98']);
  });

  it('may name a port for RTCP, an address for a medium, or share one port', () => {
    const remotes = agree(offer([...AUDIO, 'c=IN IP4 192.0.2.10', 'a=rtcp:7001'], [...VP8, 'a=rtcp-mux'])).media.map(
      media => media.accepted && media.remote,
    );
    assert.deepEqual(remotes, [
      { address: '192.0.2.10', port: 6000, rtcpPort: 7001 },
      { address: '192.0.2.9', port: 6002, rtcpPort: 6002 },
    ]);
  });

  it('over both transports gets the encrypted one, unless the other gives more', () => {
    const secure = ['m=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=rtcp-mux', FINGERPRINT, ...ICE];
    assert.equal(agree(offer(AUDIO, secure)).transport, 'webrtc');
    assert.equal(agree(offer(AUDIO, secure, VP8)).transport, 'rtp');
  });

  it('of a browser without BUNDLE gets the medium that fits one port', () => {
    const secure = (kind: string, format: string) => [
      `m=${kind} 9 UDP/TLS/RTP/SAVPF ${format}`,
      'a=rtcp-mux',
      FINGERPRINT,
      ...ICE,
    ];
    const { media, webrtc } = agree(offer(secure('audio', '0'), [...secure('video', '98'), 'a=rtpmap:98 VP8/90000']));
    assert.deepEqual(
      media.map(({ accepted }) => accepted),
      [false, true],
    );
    assert.deepEqual(webrtc?.bundle, []);
  });
});

describe('the transport of a BUNDLE group', () => {
  it('is that of its first line that is accepted (RFC 8843 §7.3.2)', () => {
    const line = (kind: string, format: string, mid: string) => [
      `m=${kind} 9 UDP/TLS/RTP/SAVPF ${format}`,
      'a=rtcp-mux',
      FINGERPRINT,
      `a=ice-ufrag:ufrag${mid}`,
      ICE[1]!,
      `a=mid:${mid}`,
    ];
    const group = ['a=group:BUNDLE 1 2 3'];
    const [text, audio, video] = [line('text', '0', '1'), line('audio', '0', '2'), line('video', '98', '3')];
    const { webrtc } = agree(offer(group, text, audio, [...video, 'a=rtpmap:98 VP8/90000']));
    assert.deepEqual([webrtc?.iceUfrag, webrtc?.bundle], ['ufrag2', ['2', '3']]);
  });
});

describe('hold', () => {
  for (const [name, edit, held] of [
    ['sendrecv', (text: string) => `${text}a=sendrecv\r\n`, false],
    ['recvonly', (text: string) => `${text}a=recvonly\r\n`, false],
    ['sendonly', (text: string) => `${text}a=sendonly\r\n`, true],
    ['inactive', (text: string) => `${text}a=inactive\r\n`, true],
    ['the address 0.0.0.0', (text: string) => text.replace('c=IN IP4 192.0.2.9', 'c=IN IP4 0.0.0.0'), true],
    ['the address ::', (text: string) => text.replace('c=IN IP4 192.0.2.9', 'c=IN IP6 ::'), true],
    ['sendonly for the whole session', (text: string) => text.replace('t=0 0', 't=0 0\r\na=sendonly'), true],
    [
      'recvonly for the medium in a session that is sendonly',
      (text: string) => `${text.replace('t=0 0', 't=0 0\r\na=sendonly')}a=recvonly\r\n`,
      false,
    ],
  ] as const) {
    it(`${name} ${held ? 'holds' : 'does not hold'}`, () => {
      assert.deepEqual(directions(agree(edit(offer(AUDIO)))), held ? [['inactive', false]] : [['sendonly', true]]);
    });
  }

  it('keeps codec and payload type, and so does resuming', () => {
    const first = agree(offer(AUDIO, BOTH), { ...ALL, video: ['vp8'] });
    const held = agree(offer([...AUDIO, 'a=inactive'], [...BOTH, 'a=inactive']), ALL, first);
    const resumed = agree(offer(AUDIO, BOTH), ALL, held);
    assert.deepEqual([held, resumed].map(lines), [
      ['pcmu 0', 'vp8 98'],
      ['pcmu 0', 'vp8 98'],
    ]);
    assert.deepEqual(directions(held), [
      ['inactive', false],
      ['inactive', false],
    ]);
    assert.ok(directions(resumed).every(line => line?.[1]));
  });

  it('of one medium leaves the other', () => {
    assert.deepEqual(directions(agree(offer(AUDIO, [...VP8, 'a=inactive']))), [
      ['sendonly', true],
      ['inactive', false],
    ]);
  });

  it('does not come from the address 0.0.0.0 of a browser, which has ICE', () => {
    assert.ok(directions(agree(readOffer('chromium'))).every(line => line?.[1]));
  });
});

describe('a new offer in a call', () => {
  const before = agree(offer(AUDIO, H264));

  it('may add a line', () => {
    assert.deepEqual(lines(agree(offer(AUDIO, H264, ['m=image 6004 udptl t38']), ALL, before)), [
      'pcmu 0',
      'h264 97',
      null,
    ]);
  });

  it('keeps the line that ran when another one could run as well', () => {
    const second = agree(offer(['m=video 0 RTP/AVP 98', 'a=rtpmap:98 VP8/90000'], H264));
    assert.deepEqual(lines(agree(offer(VP8, H264), ALL, second)), [null, 'h264 97']);
  });

  it('with fewer lines is refused', () => {
    assert.deepEqual(negotiate(offer(AUDIO), ALL, before), {
      ok: false,
      status: 488,
      reason: 'The new offer has fewer m-lines than the last one',
    });
  });

  it('may disable a line', () => {
    assert.deepEqual(lines(agree(offer(AUDIO, ['m=video 0 RTP/AVP 97', ...H264.slice(1)]), ALL, before)), [
      'pcmu 0',
      null,
    ]);
  });
});

const secure = (...attributes: readonly string[]) => ['m=audio 9 UDP/TLS/RTP/SAVPF 0', ...attributes];

const REFUSED: readonly { name: string; sections: readonly string[]; reason: string }[] = [
  { name: 'a medium of another kind', sections: ['m=text 6000 RTP/AVP 0'], reason: 'text: not a medium that is given' },
  {
    name: 'a user name fragment too short to be one',
    sections: secure('a=rtcp-mux', FINGERPRINT, 'a=ice-ufrag:abc', ICE[1]!),
    reason: 'audio: DTLS without ICE is not supported',
  },
  {
    name: 'codecs that nobody gives',
    sections: ['m=audio 6000 RTP/AVP 9 18 101', 'a=rtpmap:101 telephone-event/8000'],
    reason: 'audio: offered G722, G729, telephone-event',
  },
  {
    name: 'a codec without its clock',
    sections: ['m=audio 6000 RTP/AVP 96', 'a=rtpmap:96 opus/8000/2'],
    reason: 'audio: offered opus',
  },
  {
    name: 'H.264 of a profile that is not Baseline',
    sections: [
      'm=video 6002 RTP/AVP 97',
      'a=rtpmap:97 H264/90000',
      'a=fmtp:97 profile-level-id=640028;packetization-mode=1',
    ],
    reason: 'video: offered H264',
  },
  { name: 'no m-line', sections: [], reason: 'no m-lines' },
  { name: 'disabled lines', sections: ['m=audio 0 RTP/AVP 0'], reason: 'audio: disabled by the offer' },
  {
    name: 'a host name',
    sections: ['m=audio 6000 RTP/AVP 0', 'c=IN IP4 phone.example.org'],
    reason: 'audio: no numeric address in c=',
  },
  { name: 'an RTCP port beyond all ports', sections: ['m=audio 65535 RTP/AVP 0'], reason: 'audio: no RTCP port' },
  {
    name: 'a transport of its own',
    sections: ['m=audio 6000 TCP/RTP/AVP 0'],
    reason: 'audio: TCP/RTP/AVP is not supported',
  },
  {
    name: 'SRTP without DTLS',
    sections: secure('a=rtcp-mux', ...ICE),
    reason: 'audio: UDP/TLS/RTP/SAVPF without a DTLS fingerprint is not supported',
  },
  {
    name: 'DTLS without ICE',
    sections: secure('a=rtcp-mux', FINGERPRINT),
    reason: 'audio: DTLS without ICE is not supported',
  },
  {
    name: 'a password too short to be one',
    sections: secure('a=rtcp-mux', FINGERPRINT, 'a=ice-ufrag:remo', 'a=ice-pwd:short'),
    reason: 'audio: DTLS without ICE is not supported',
  },
  {
    name: 'DTLS without rtcp-mux',
    sections: secure(FINGERPRINT, ...ICE),
    reason: 'audio: DTLS without rtcp-mux is not supported',
  },
  {
    name: 'a peer that will be the DTLS server',
    sections: secure('a=rtcp-mux', FINGERPRINT, ...ICE, 'a=setup:passive'),
    reason: 'audio: a=setup:passive is not supported',
  },
];

describe('488 for', () => {
  for (const { name, sections, reason } of REFUSED) {
    it(`${name}: ${reason}`, () => {
      assert.deepEqual(negotiate(offer(sections), ALL), {
        ok: false,
        status: 488,
        reason: `Nothing in common (${reason}); can give video H264, VP8; audio opus, PCMA, PCMU`,
      });
    });
  }

  it('a channel that has nothing', () => {
    assert.deepEqual(negotiate(offer(AUDIO), { video: [], audio: [] }), {
      ok: false,
      status: 488,
      reason: 'Nothing in common (audio: offered PCMU); can give nothing',
    });
  });

  it('whatever stands in the offer, in printable ASCII of bounded length', () => {
    const failure = negotiate(
      offer(Array(20).fill(['m=audio 6000 RTP/AVP 96', 'a=rtpmap:96 \u0007naïve"\u2028/8000'])),
      ALL,
    );
    assert.ok(!failure.ok);
    assert.match(failure.reason, /^[ -~]{1,400}$/);
  });
});

describe('400 for', () => {
  for (const [name, text, reason] of [
    ['nothing', '', 'SDP does not begin with v=0'],
    ['another version', offer(AUDIO).replace('v=0', 'v=1'), 'SDP does not begin with v=0'],
    ['HTML', '<html></html>', 'SDP does not begin with v=0'],
    ['a line that is none', offer(AUDIO, ['rubbish']), 'SDP has a line that is not a letter and an equals sign'],
    ['no origin', offer(AUDIO).replace(/o=.*\r\n/, ''), 'SDP has no origin'],
    ['an m-line without formats', offer(AUDIO, ['m=video 6002 RTP/AVP']), 'SDP has a malformed m-line (number 2)'],
    ['a port beyond all ports', offer(['m=audio 65536 RTP/AVP 0']), 'SDP has a malformed m-line (number 1)'],
    ['too many m-lines', offer(...Array<string[]>(33).fill(AUDIO)), 'SDP has more than 32 m-lines'],
    ['too many bytes', offer(AUDIO, [`a=x:${'x'.repeat(65_536)}`]), 'SDP is longer than 65536 bytes'],
  ] as const) {
    it(`${name}: ${reason}`, () => assert.deepEqual(negotiate(text, ALL), { ok: false, status: 400, reason }));
  }

  it('nothing about line ends: CR, LF and both will do', () => {
    for (const end of ['\r\n', '\n', '\r']) {
      assert.deepEqual(lines(agree(offer(AUDIO).replaceAll('\r\n', end))), ['pcmu 0']);
    }
  });
});
