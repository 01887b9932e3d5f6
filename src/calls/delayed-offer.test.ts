import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INFO, setUpCalls } from '../../test/support/calls.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n';
const AUDIO = 'm=audio 6000 RTP/AVP 8\r\n';
const H264 = 'RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n';
const VIDEO = `m=video 6002 ${H264}`;
const NO_VIDEO = `m=video 0 ${H264}`;

/** A call without an offer, whose 200 has ours. */
async function offered() {
  const bench = setUpCalls();
  const incoming = await bench.answered(null);
  assert.deepEqual(bench.happened(), ['start clock', 'add call-1', '200']);
  return { ...bench, incoming };
}

describe('an INVITE without an offer', () => {
  it('is answered with ours, and nothing is watched before it is answered', async () => {
    const { incoming, specs } = await offered();
    const [offer] = incoming.answers;
    assert.match(offer!, /^o=- 1700000000000 1 IN IP4 192\.0\.2\.1\r\n/m);
    assert.match(offer!, /^m=audio \d+ RTP\/AVP 8\r\na=rtpmap:8 PCMA\/8000\r$/m);
    assert.match(offer!, /^m=video \d+ RTP\/AVP 96\r\na=rtpmap:96 H264\/90000\r$/m);
    assert.match(offer!, /^a=fmtp:96 .*packetization-mode=1;profile-level-id=42e01f\r$/m);
    assert.equal(offer!.match(/^a=sendonly\r$/gm)?.length, 2);
    assert.deepEqual(
      specs[0]?.streams.map(({ kind, payloadType, feed, remote }) => [kind, payloadType, feed, remote?.address]),
      [
        ['audio', 8, null, '0.0.0.0'],
        ['video', 96, null, '0.0.0.0'],
      ],
    );
  });

  it('watches what the answer in the ACK takes', async () => {
    const { calls, incoming, settle, happened } = await offered();
    incoming.handlers?.answered(HEAD + AUDIO + VIDEO);
    incoming.handlers?.acknowledged();
    await settle();
    assert.deepEqual(happened(), ['feed 1: pcma', 'feed 2: h264', 'update call-1: audio 1, video 2', 'confirm call-1']);
    assert.deepEqual(calls.list()[0]?.codecs, ['h264', 'pcma']);
  });

  it('is sound alone when the answer wants no picture', async () => {
    const { calls, incoming, settle, happened } = await offered();
    incoming.handlers?.answered(HEAD + AUDIO + NO_VIDEO);
    await settle();
    assert.deepEqual(happened(), ['feed 1: pcma', 'update call-1: audio 1']);
    assert.deepEqual(calls.list()[0]?.codecs, ['pcma']);
  });

  for (const [name, answer, text] of [
    ['has no answer', null, 'The ACK has no answer'],
    ['is no SDP', 'hello', 'SDP does not begin with v=0'],
    ['has fewer m-lines', HEAD + AUDIO, 'The new offer has fewer m-lines than the last one'],
    ['has its m-lines in another order', HEAD + VIDEO + AUDIO, 'The answer is not one to our offer'],
    ['has more m-lines', HEAD + AUDIO + VIDEO + NO_VIDEO, 'The answer is not one to our offer'],
    ['moves a payload type', (HEAD + AUDIO + VIDEO).replaceAll('96', '97'), 'The answer is not one to our offer'],
  ] as const) {
    it(`ends with a BYE when the ACK ${name}`, async () => {
      const { calls, incoming, settle, happened } = await offered();
      incoming.handlers?.answered(answer);
      await settle();
      assert.deepEqual(happened(), [`BYE SIP 488 ${text}`, 'remove call-1']);
      assert.equal(calls.size, 0);
    });
  }

  it('ends with a BYE when the engine fails', async () => {
    const { engine, incoming, settle, happened } = await offered();
    engine.updating = Promise.reject(new Error('the thread has ended'));
    incoming.handlers?.answered(HEAD + AUDIO + VIDEO);
    await settle();
    assert.ok(happened().includes('BYE SIP 500 The answer could not be carried out'));
  });

  it('is offered sound alone where there is no picture', async () => {
    const { invite, channels, settle } = setUpCalls();
    const incoming = invite(null);
    channels.sourceOpened('clock', { ...INFO, video: null });
    await settle();
    assert.doesNotMatch(incoming.answers[0]!, /m=video/);
  });
});

describe('a re-INVITE without an offer', () => {
  it('is offered what runs, and may hold and resume with its answer', async () => {
    const { calls, incoming, settle, happened } = await offered();
    incoming.handlers?.answered(HEAD + AUDIO + VIDEO);
    await settle();
    happened();
    incoming.reinvite(null);
    assert.match(incoming.answers[1]!, /^o=- 1700000000000 2 /m);
    incoming.handlers?.answered(`${HEAD}${AUDIO}a=inactive\r\n${VIDEO}a=inactive\r\n`);
    await settle();
    assert.deepEqual(happened(), ['200', 'update call-1: audio null, video null']);
    assert.equal(calls.list()[0]?.held, true);
    incoming.reinvite(null);
    assert.equal(incoming.answers[2]!.match(/^a=sendonly\r$/gm)?.length, 2);
    incoming.handlers?.answered(`${HEAD}${AUDIO}a=recvonly\r\n${VIDEO}a=recvonly\r\n`);
    await settle();
    assert.deepEqual(happened(), ['200', 'update call-1: audio 1, video 2']);
  });

  it('whose answer comes after the end changes nothing', async () => {
    const { incoming, happened } = await offered();
    incoming.handlers?.ended({ by: 'peer', cause: null });
    happened();
    incoming.handlers?.answered(HEAD + AUDIO + VIDEO);
    assert.deepEqual(happened(), []);
  });
});
