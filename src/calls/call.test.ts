import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INFO, setUpCalls } from '../../test/support/calls.ts';
import { readOffer } from '../../test/vectors/offers/read.ts';
import { DialcastError } from '../errors.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n';
const AUDIO = 'm=audio 6000 RTP/AVP 0\r\n';
const VIDEO = 'm=video 6002 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\n';
const PHONE = HEAD + AUDIO + VIDEO;
const HELD = `${HEAD}${AUDIO}a=sendonly\r\n${VIDEO}a=inactive\r\n`;

describe('a call', () => {
  it('puts the channel on air, watches it, makes a viewer and is answered', async () => {
    const { calls, invite, channels, settle, specs, happened } = setUpCalls();
    const incoming = invite(PHONE);
    await settle();
    assert.deepEqual(happened(), ['start clock']);
    channels.sourceOpened('clock', INFO);
    await settle();
    assert.deepEqual(happened(), ['feed 1: pcmu', 'feed 2: vp8', 'add call-1', '200']);
    const [call] = calls.list();
    assert.deepEqual([call?.codecs, call?.held, call?.answeredAtMs], [['vp8', 'pcmu'], false, 1_700_000_000_000]);
    assert.deepEqual(specs, [
      {
        id: 'call-1',
        transport: { kind: 'rtp', localAddress: '192.0.2.1', peerAddress: '192.0.2.9' },
        streams: [
          {
            kind: 'audio',
            payloadType: 0,
            clockRateHz: 8_000,
            feed: 1,
            nack: false,
            asksForKeyFrames: false,
            rtcpMux: false,
            remote: { address: '192.0.2.9', port: 6000, rtcpPort: 6001, trusted: false },
          },
          {
            kind: 'video',
            payloadType: 98,
            clockRateHz: 90_000,
            feed: 2,
            nack: false,
            asksForKeyFrames: false,
            rtcpMux: false,
            remote: { address: '192.0.2.9', port: 6002, rtcpPort: 6003, trusted: false },
          },
        ],
      },
    ]);
    assert.match(incoming.answers[0] ?? '', /^o=- 1700000000000 1 IN IP4 192\.0\.2\.1\r\n/m);
    incoming.handlers?.acknowledged();
    assert.deepEqual(happened(), ['confirm call-1']);
  });

  it('of a browser tells the engine who it is', async () => {
    const { answered, specs } = setUpCalls();
    const incoming = await answered(readOffer('chromium'));
    const [spec] = specs;
    assert.equal(spec?.transport.kind, 'webrtc');
    assert.equal(spec.transport.iceUfrag, 'XKWu');
    assert.deepEqual(
      spec.streams.map(({ kind, nack, remote }) => [kind, nack, remote]),
      [
        ['audio', false, null],
        ['video', true, null],
      ],
    );
    assert.match(incoming.answers[0] ?? '', /^a=ice-lite\r$/m);
  });

  it('on a channel without a picture is sound alone', async () => {
    const { invite, channels, settle, happened } = setUpCalls();
    const incoming = invite(PHONE);
    channels.sourceOpened('clock', { ...INFO, video: null });
    await settle();
    assert.deepEqual(happened(), ['start clock', 'feed 1: pcmu', 'add call-1', '200']);
    assert.match(incoming.answers[0] ?? '', /^m=video 0 /m);
  });

  it('shares the feeds of others who watch the same', async () => {
    const { answered, happened, specs } = setUpCalls();
    await answered(PHONE, { id: 'a' });
    happened();
    await answered(PHONE, { id: 'b' });
    assert.deepEqual(happened(), ['add b', '200']);
    assert.deepEqual(specs[0]?.streams, specs[1]?.streams);
  });

  for (const [name, localAddress, addresses, announced] of [
    ['where it came in', '198.51.100.1', ['192.0.2.1', '198.51.100.1'], '198.51.100.1'],
    ['the announced one of its family, behind a NAT', '10.0.0.1', ['2001:db8::1', '203.0.113.5'], '203.0.113.5'],
    ['the announced one of its family, over IPv6', '2001:db8::9', ['203.0.113.5', '2001:db8::1'], '2001:db8::1'],
    ['where it came in, when no other is of its family', '10.0.0.1', ['2001:db8::1'], '10.0.0.1'],
  ] as const) {
    it(`of a phone is told the address ${name}`, async () => {
      const { answered, specs } = setUpCalls({ addresses: [...addresses] });
      await answered(PHONE, { localAddress });
      assert.equal(specs[0]?.transport.kind, 'rtp');
      assert.equal(specs[0].transport.localAddress, announced);
    });
  }
});

describe('a call whose media go elsewhere than its signalling', () => {
  const PROXY = '198.51.100.3';
  const RELAY = '198.51.100.2';
  const viaRelay = (offer: string) => offer.replace('c=IN IP4 192.0.2.9', `c=IN IP4 ${RELAY}`);

  for (const [name, trusted, remoteAddress, isTrusted] of [
    ['is trusted when proxy and relay are', [PROXY, RELAY], PROXY, true],
    ['is not trusted for the relay alone: anybody can name it', [PROXY, RELAY], '192.0.2.9', false],
    ['is not trusted for the proxy alone: it forwards what anybody wrote', [PROXY], PROXY, false],
  ] as const) {
    it(name, async () => {
      const { answered, settle, specs, updates } = setUpCalls({ trusted });
      const incoming = await answered(viaRelay(PHONE), { remoteAddress });
      incoming.reinvite(viaRelay(HELD));
      await settle();
      const streams = [...specs, ...updates].flatMap(each => each.streams);
      assert.deepEqual(
        streams.map(({ remote }) => [remote?.address, remote?.trusted]),
        Array(4).fill([RELAY, isTrusted]),
      );
    });
  }
});

describe('the end of a call', () => {
  const GONE = ['remove call-1'];

  it('by the caller leaves nothing behind', async () => {
    const { calls, answered, advance, happened } = setUpCalls();
    const incoming = await answered(PHONE);
    happened();
    incoming.handlers?.ended({ by: 'peer', cause: null });
    assert.deepEqual(happened(), GONE);
    assert.deepEqual([calls.size, calls.outcomes], [0, { watched: 1, cancelled: 0, refused: 0 }]);
    advance(10_000);
    assert.deepEqual(happened().sort(), ['close feed 1', 'close feed 2', 'stop clock']);
    incoming.handlers?.acknowledged();
    assert.deepEqual(happened(), []);
  });

  it('comes with a BYE and a Reason when the engine lost the viewer', async () => {
    const { calls, answered, happened } = setUpCalls();
    await answered(PHONE);
    happened();
    calls.viewerLost('call-1', 'the browser no longer answers');
    calls.viewerLost('call-1', 'the browser no longer answers');
    calls.viewerLost('nobody', 'gone');
    assert.deepEqual(happened(), ['BYE SIP 408 the browser no longer answers', ...GONE]);
  });

  it('comes with a BYE and a Reason when the channel goes off air', async () => {
    const { channels, answered, happened } = setUpCalls();
    await answered(PHONE);
    happened();
    channels.sourceEnded('clock');
    const events = happened();
    assert.ok(events.includes('BYE SIP 480 the film has ended'));
    assert.ok(events.includes('remove call-1'));
  });
});

describe('a call that is cancelled', () => {
  it('while the source opens lets the channel go', async () => {
    const { calls, channels, invite, settle, advance, happened } = setUpCalls();
    const incoming = invite(PHONE);
    incoming.handlers?.cancelled();
    assert.deepEqual([calls.size, calls.outcomes.cancelled], [0, 1]);
    channels.sourceOpened('clock', INFO);
    await settle();
    assert.equal(channels.find('clock')?.viewers, 0);
    advance(10_000);
    assert.deepEqual(happened(), ['start clock', 'stop clock']);
  });

  it('while the viewer is made takes it away again, and answers nothing', async () => {
    const { engine, answered, settle, advance, happened } = setUpCalls();
    const making = Promise.withResolvers<void>();
    engine.adding = making.promise;
    const incoming = await answered(PHONE);
    incoming.handlers?.cancelled();
    making.resolve();
    await settle();
    advance(10_000);
    const events = happened();
    assert.ok(!events.includes('200'));
    assert.equal(events.filter(event => event === 'remove call-1').length, 1);
    assert.ok(['close feed 1', 'close feed 2', 'stop clock'].every(event => events.includes(event)));
  });

  it('while the viewer is made is not disturbed by an engine that fails', async () => {
    const { engine, answered, settle, happened } = setUpCalls();
    const making = Promise.withResolvers<void>();
    engine.adding = making.promise;
    engine.removeViewer = () => Promise.reject(new Error('the thread has ended'));
    const incoming = await answered(PHONE);
    incoming.handlers?.cancelled();
    making.resolve();
    await settle();
    assert.ok(!happened().some(event => /^(?:200|[345]\d\d)/.test(event)));
  });
});

describe('hold', () => {
  it('leaves the feeds, and resuming watches again with the same stream', async () => {
    const { calls, answered, settle, advance, happened } = setUpCalls();
    const incoming = await answered(PHONE);
    happened();
    incoming.reinvite(HELD);
    await settle();
    assert.deepEqual(happened(), ['update call-1: audio null, video null', '200']);
    assert.equal(calls.list()[0]?.held, true);
    assert.match(incoming.answers[1] ?? '', /^o=- 1700000000000 2 .*[\s\S]*a=inactive/m);
    advance(3_000);
    assert.deepEqual(happened(), ['close feed 1', 'close feed 2']);
    incoming.reinvite(PHONE);
    await settle();
    assert.deepEqual(happened(), ['feed 3: pcmu', 'feed 4: vp8', 'update call-1: audio 3, video 4', '200']);
    assert.equal(calls.list()[0]?.held, false);
    assert.match(incoming.answers[2] ?? '', /^o=- 1700000000000 3 /m);
  });

  it('of the picture alone keeps the sound', async () => {
    const { calls, answered, settle, advance, happened } = setUpCalls();
    const incoming = await answered(PHONE);
    happened();
    incoming.reinvite(`${HEAD}${AUDIO}${VIDEO}a=inactive\r\n`);
    await settle();
    advance(3_000);
    assert.deepEqual(happened(), ['update call-1: audio 1, video null', '200', 'close feed 2']);
    assert.equal(calls.list()[0]?.held, false);
  });

  it('in the first offer watches nothing yet', async () => {
    const { answered, settle, happened } = setUpCalls();
    const incoming = await answered(HELD);
    assert.deepEqual(happened(), ['start clock', 'add call-1', '200']);
    incoming.reinvite(PHONE);
    await settle();
    assert.deepEqual(happened(), ['feed 1: pcmu', 'feed 2: vp8', 'update call-1: audio 1, video 2', '200']);
  });

  it('keeps the channel on air', async () => {
    const { channels, answered, settle, advance } = setUpCalls();
    const incoming = await answered(PHONE);
    incoming.reinvite(HELD);
    await settle();
    advance(60_000);
    assert.deepEqual([channels.find('clock')?.onAir, channels.find('clock')?.viewers], [true, 1]);
  });

  it('that changes nothing keeps feeds and stream', async () => {
    const { answered, settle, happened } = setUpCalls();
    const incoming = await answered(PHONE);
    happened();
    incoming.reinvite(PHONE);
    await settle();
    assert.deepEqual(happened(), ['update call-1: audio 1, video 2', '200']);
  });
});

describe('a re-INVITE is refused', () => {
  for (const [name, offer, refusal] of [
    ['with fewer m-lines', HEAD + AUDIO, '488 The new offer has fewer m-lines than the last one'],
    [
      'with other codecs alone',
      PHONE.replace('AVP 0', 'AVP 8'),
      '488 Hold and resume are possible, other codecs or transports are not',
    ],
    [
      'with a line that is disabled',
      PHONE.replace('m=video 6002', 'm=video 0'),
      '488 Hold and resume are possible, other codecs or transports are not',
    ],
    ['that is no SDP', 'hello', '400 SDP does not begin with v=0'],
  ] as const) {
    it(`${name}, and the call goes on as it was`, async () => {
      const { calls, answered, settle, happened } = setUpCalls();
      const incoming = await answered(PHONE);
      happened();
      incoming.reinvite(offer);
      await settle();
      assert.deepEqual(happened(), [refusal]);
      assert.deepEqual(calls.list()[0]?.codecs, ['vp8', 'pcmu']);
    });
  }

  it('when the engine fails, and what was watched newly is let go with the call', async () => {
    const { engine, answered, settle, happened } = setUpCalls();
    const incoming = await answered(PHONE);
    engine.updating = Promise.reject(new Error('the thread has ended'));
    happened();
    incoming.reinvite(HELD);
    await settle();
    assert.deepEqual(happened(), ['update call-1: audio null, video null', '500']);
  });

  it('before the call is answered', async () => {
    const { invite, settle, happened } = setUpCalls();
    invite(PHONE).reinvite(PHONE);
    await settle();
    assert.deepEqual(happened(), ['start clock', '491']);
  });

  it('is not answered when the call ended meanwhile', async () => {
    const { engine, answered, settle, advance, happened } = setUpCalls();
    const incoming = await answered(HELD);
    const updating = Promise.withResolvers<void>();
    engine.updating = updating.promise;
    incoming.reinvite(PHONE);
    incoming.handlers?.ended({ by: 'peer', cause: null });
    updating.resolve();
    await settle();
    happened();
    advance(3_000);
    assert.deepEqual(happened(), ['close feed 1', 'close feed 2']);
    assert.equal(incoming.answers.length, 1);
  });
});

describe('a call is refused', () => {
  it('without an offer from a browser, before anything is spent', () => {
    const { invite, happened } = setUpCalls();
    invite(null, { transport: 'ws' });
    assert.deepEqual(happened(), ['488 An offer is needed in the INVITE']);
  });

  it('with nothing in common, before anything is spent', () => {
    const { calls, invite, happened } = setUpCalls();
    invite(readOffer('softphone-sdes'));
    const [refusal, ...rest] = happened();
    assert.match(refusal ?? '', /^488 Nothing in common \(/);
    assert.deepEqual([rest, calls.size, calls.outcomes.refused], [[], 0, 1]);
  });

  it('when the channel lacks all that the caller can take', async () => {
    const { invite, channels, settle, advance, happened } = setUpCalls();
    invite(HEAD + VIDEO);
    channels.sourceOpened('clock', { ...INFO, video: null });
    await settle();
    assert.match(happened()[1] ?? '', /^488 Nothing in common/);
    advance(10_000);
    assert.deepEqual(happened(), ['stop clock']);
  });

  it('with the reason for which the source does not open', async () => {
    const { calls, invite, channels, settle, happened } = setUpCalls();
    invite(PHONE);
    channels.sourceFailed('clock', 'film.mp4: no such file');
    await settle();
    assert.deepEqual(happened(), ['start clock', 'stop clock', '480 film.mp4: no such file']);
    assert.deepEqual([calls.size, calls.outcomes.refused], [0, 1]);
  });

  it('when no port is left, with when to come back', async () => {
    const { calls, engine, answered, advance, happened } = setUpCalls();
    engine.adding = Promise.reject(new DialcastError('RTP_PORTS_EXHAUSTED', 'no free pair'));
    await answered(PHONE);
    assert.equal(happened().at(-1), '503 (again in 30 s)');
    advance(10_000);
    assert.deepEqual(happened().sort(), ['close feed 1', 'close feed 2', 'stop clock']);
    assert.equal(calls.size, 0);
  });

  it('without a word about a fault of ours', async () => {
    const { engine, answered, happened } = setUpCalls();
    engine.adding = Promise.reject(new TypeError('undefined is not a function'));
    await answered(PHONE);
    assert.equal(happened().at(-1), '500');
  });

  it('when the server closes before it is answered', () => {
    const { calls, invite, happened } = setUpCalls();
    invite(PHONE);
    calls.list()[0]?.hangUp({ protocol: 'SIP', cause: 503, text: 'The server is shutting down' });
    assert.deepEqual(happened(), ['start clock', '503 The server is shutting down']);
  });
});
