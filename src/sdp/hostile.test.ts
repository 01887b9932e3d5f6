import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'sdp-transform';
import { OFFERS, readOffer } from '../../test/vectors/offers/read.ts';
import { buildAnswer, type Capabilities, type LocalMedia, type Negotiated, negotiate } from './index.ts';

const ALL: Capabilities = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] };
const STREAMS = [
  { kind: 'video', ssrc: 1, cname: 'tv', port: 40_004, rtcpPort: 40_005 },
  { kind: 'audio', ssrc: 2, cname: 'tv', port: 40_006, rtcpPort: 40_007 },
] as const;
const LOCAL: Readonly<Record<Negotiated['transport'], LocalMedia>> = {
  webrtc: { transport: 'webrtc', iceUfrag: 'u', icePwd: 'p', fingerprint: 'AA', candidates: [], streams: STREAMS },
  rtp: { transport: 'rtp', address: '192.0.2.1', streams: STREAMS },
};

/** An answer has a line for each of the offer's, in their order, each with a format that was offered for it. */
function checkAnswer(offer: string, negotiated: Negotiated): void {
  const text = buildAnswer(negotiated, LOCAL[negotiated.transport], {
    sessionId: '1',
    version: 1,
    address: '192.0.2.1',
  });
  const offered = offer.split(/\r\n|\r|\n/).filter(line => line.startsWith('m='));
  const answered = parse(text).media;
  assert.equal(answered.length, offered.length);
  for (const [index, { type, protocol, payloads }] of answered.entries()) {
    const [kind, , offeredProtocol, ...formats] = offered[index]!.slice(2).split(/ +/);
    assert.deepEqual([type, protocol], [kind, offeredProtocol]);
    for (const format of String(payloads).split(' ')) assert.ok(formats.includes(format), offered[index]);
  }
}

function check(offer: string): void {
  const negotiated = negotiate(offer, ALL);
  if (negotiated.ok) checkAnswer(offer, negotiated);
  else assert.match(negotiated.reason, /^[ -~]{1,400}$/);
}

/** Lines of real offers, to be mixed up. */
const LINES = [...new Set(OFFERS.flatMap(name => readOffer(name).split('\r\n').join('\n').split('\n')))].filter(
  Boolean,
);

const line = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...LINES) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...LINES), fc.nat(80), fc.string({ unit: 'binary', maxLength: 12 }))
      .map(([text, at, junk]) => text.slice(0, at) + junk.replaceAll(/[\r\n]/g, ' ') + text.slice(at)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('a=', 'c=', 'm=audio ', 'm=video 9 RTP/AVP '), fc.string())
      .map(parts => parts.join('').replaceAll(/[\r\n]/g, ' ')),
  },
);

describe('no text makes negotiation throw, and every answer fits its offer', () => {
  it('random text', () => fc.assert(fc.property(fc.string({ unit: 'binary' }), check), { numRuns: 300 }));

  it('lines of real offers in any order, some of them damaged', () => {
    const offers = fc
      .array(line, { maxLength: 60 })
      .map(lines => ['v=0', 'o=- 1 1 IN IP4 192.0.2.9', 'c=IN IP4 192.0.2.9', ...lines].join('\r\n'));
    fc.assert(fc.property(offers, check), { numRuns: 1000 });
  });

  it('real offers with lines taken out, doubled or damaged', () => {
    const edits = fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 0.999, noNaN: true }),
        with: fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...LINES) }, line), { maxLength: 2 }),
      }),
      { maxLength: 4 },
    );
    let agreed = 0;
    fc.assert(
      fc.property(fc.constantFrom(...OFFERS), edits, (name, changes) => {
        const lines = readOffer(name).trimEnd().split(/\r?\n/);
        for (const { at, with: insert } of changes) lines.splice(Math.floor(at * lines.length), 1, ...insert);
        const offer = lines.join('\r\n');
        check(offer);
        if (negotiate(offer, ALL).ok) agreed++;
      }),
      { numRuns: 1000 },
    );
    assert.ok(agreed > 50, `only ${agreed} of 1000 offers got as far as an answer`);
  });

  it('a new offer after any other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OFFERS), fc.constantFrom(...OFFERS), (first, second) => {
        const before = negotiate(readOffer(first), ALL);
        const after = negotiate(readOffer(second), ALL, before.ok ? before : null);
        if (after.ok) checkAnswer(readOffer(second), after);
      }),
    );
  });
});

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n';
const MOST_BYTES = 65_536;

/** As much of `unit` after `start` as an offer may have. */
function fill(start: string, unit: string): string {
  const room = MOST_BYTES - Buffer.byteLength(HEAD + start);
  return HEAD + start + unit.repeat(Math.floor(room / Buffer.byteLength(unit)));
}

const HOSTILE: readonly { name: string; offer: string }[] = [
  { name: 'line ends', offer: fill('', '\n') },
  { name: 'formats', offer: fill('m=video 9 RTP/AVP', ' 97') },
  { name: 'spaces behind the formats', offer: `${fill('m=video 9 RTP/AVP 97', ' ')}x`.slice(0, MOST_BYTES) },
  { name: 'codecs', offer: fill('m=video 9 RTP/AVP 97\r\n', 'a=rtpmap:97 x/90000\r\n') },
  {
    name: 'parameters of one codec',
    offer: fill('m=video 9 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 ', 'a=;'),
  },
  { name: 'parameters of many codecs', offer: fill('m=video 9 RTP/AVP 97\r\n', 'a=fmtp:97 a\r\n') },
  { name: 'spaces in a codec', offer: fill('m=video 9 RTP/AVP 97\r\na=rtpmap:97 x', ' ') },
  { name: 'feedback', offer: fill('m=video 9 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n', 'a=rtcp-fb:* nack\r\n') },
  { name: 'one long feedback', offer: fill('m=video 9 RTP/AVP 97\r\na=rtcp-fb:* ', '-') },
  { name: 'groups', offer: fill('', 'a=group:BUNDLE 0\r\n') },
  { name: 'one long group', offer: fill('a=group:BUNDLE', ' 0') },
  { name: 'fingerprints', offer: fill('', 'a=fingerprint:x AA\r\n') },
  { name: 'one long fingerprint', offer: `${fill('a=fingerprint:sha-256 AA', ':AA')}x`.slice(0, MOST_BYTES) },
  { name: 'candidates', offer: fill('m=audio 9 RTP/AVP 0\r\n', 'a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n') },
  { name: 'a candidate of spaces', offer: fill('m=audio 9 RTP/AVP 0\r\na=candidate:', ' ') },
  { name: 'an attribute of spaces', offer: fill('m=audio 9 RTP/AVP 0\r\na=', ' ') },
  { name: 'an attribute for a source', offer: fill('m=audio 9 RTP/AVP 0\r\na=ssrc:1 x:', 'x ') },
  { name: 'simulcast', offer: fill('m=video 9 RTP/AVP 97\r\na=simulcast:send ', '1;') },
  { name: 'm-lines', offer: HEAD + 'm=video 9 RTP/AVP 97\r\n'.repeat(32) },
];

describe('an offer of 64 kB', () => {
  const measure = (offer: string) => {
    const startedAtMs = performance.now();
    negotiate(offer, ALL);
    return performance.now() - startedAtMs;
  };
  const least = (offer: string) => Math.min(...Array.from({ length: 5 }, () => measure(offer)));

  for (const { name, offer } of HOSTILE) {
    it(`of ${name} takes no longer than so much of an honest one`, () => {
      assert.ok(Buffer.byteLength(offer) <= MOST_BYTES);
      const honest = readOffer('chromium');
      // What takes quadratic time takes thousands of times as long.
      const limitMs = 50 * least(honest) * (MOST_BYTES / honest.length);
      const tookMs = least(offer);
      assert.ok(tookMs < limitMs, `${tookMs} ms, and the limit is ${limitMs} ms`);
    });
  }
});
