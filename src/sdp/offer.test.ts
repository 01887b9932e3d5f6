import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readOffer } from '../../test/vectors/offers/read.ts';
import { buildOffer, type LocalMedia, negotiate, propose, proposeAgain, readAnswer } from './index.ts';

const ALL = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] } as const;
const IDENTITY = { sessionId: '1', version: 1, address: '192.0.2.1' };
const LOCAL: LocalMedia = {
  transport: 'rtp',
  address: '192.0.2.1',
  streams: [
    { kind: 'audio', ssrc: 1, cname: 'tv', port: 40_000, rtcpPort: 40_001 },
    { kind: 'video', ssrc: 2, cname: 'tv', port: 40_002, rtcpPort: 40_003 },
  ],
};

describe('an offer of ours', () => {
  it('is one that we could answer ourselves', () => {
    const read = negotiate(buildOffer(propose(ALL), LOCAL, IDENTITY), ALL);
    assert.ok(read.ok);
    assert.deepEqual(
      read.media.map(media => media.accepted && [media.codec, media.payloadType, media.remote]),
      [
        ['pcma', 8, { address: '192.0.2.1', port: 40_000, rtcpPort: 40_001 }],
        ['h264', 96, { address: '192.0.2.1', port: 40_002, rtcpPort: 40_003 }],
      ],
    );
  });

  it('names the ways to ask for a key frame, and no retransmission', () => {
    const text = buildOffer(propose(ALL), LOCAL, IDENTITY);
    assert.deepEqual(text.match(/^a=rtcp-fb:.*(?=\r$)/gm), ['a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 ccm fir']);
  });

  it('has no medium that the channel lacks', () => {
    assert.deepEqual(
      propose({ video: [], audio: ALL.audio }).media.map(({ kind }) => kind),
      ['audio'],
    );
  });

  it('made again in a call ends a hold', () => {
    const held = negotiate(readOffer('sipp').replaceAll('a=sendrecv', 'a=sendonly'), ALL);
    assert.ok(held.ok);
    const again = proposeAgain(held).media.map(media => media.accepted && media.direction);
    assert.ok(again.every(direction => direction === 'sendonly'));
  });

  it('has an answer that says where to send, and for which media', () => {
    const text = [
      'v=0',
      'o=- 1 1 IN IP4 192.0.2.9',
      's=-',
      'c=IN IP4 192.0.2.9',
      't=0 0',
      'm=audio 6000 RTP/AVP 8',
      'm=video 6002 RTP/AVP 96',
      'a=rtpmap:96 H264/90000',
      'a=fmtp:96 packetization-mode=1;profile-level-id=42e01f',
      'a=inactive',
      '',
    ].join('\r\n');
    const answer = readAnswer(text, propose(ALL));
    assert.ok(answer.ok);
    assert.deepEqual(
      answer.media.map(media => media.accepted && [media.sending, media.remote?.port]),
      [
        [true, 6000],
        [false, 6002],
      ],
    );
  });
});
