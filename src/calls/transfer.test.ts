import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setUpCalls } from '../../test/support/calls.ts';
import type { FakeIncomingCall } from '../../test/support/incoming-call.ts';
import type { Referral } from '../signalling/index.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n';
const PHONE = `${HEAD}m=audio 6000 RTP/AVP 0\r\n`;
const ANSWER = `${HEAD}m=audio 7000 RTP/AVP 8\r\nm=video 7002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n`;

/** A viewer who hands his channel on to bob; what he hears of it is written down. */
async function referred({ to = 'sip:bob@example.org', replaces = null as string | null, viewers = 10 } = {}) {
  const bench = setUpCalls({ viewers });
  const incoming = await bench.answered(PHONE);
  bench.happened();
  const reports: string[] = [];
  refer(incoming, reports, to, replaces);
  return { ...bench, incoming, reports };
}

function refer(
  { handlers }: Pick<FakeIncomingCall, 'handlers'>,
  reports: string[],
  to: string,
  replaces: string | null,
) {
  const referral: Referral = {
    to,
    replaces,
    referredBy: '<sip:anna@example.org>',
    accept: () => reports.push('202'),
    reject: ({ status }) => reports.push(`rejected ${status}`),
    report: (status, reason) => reports.push(`${status} ${reason}`),
  };
  handlers?.referred?.(referral);
}

describe('a viewer who hands his channel on', () => {
  it('has somebody else called, who gets the channel, and hears so', async () => {
    const { calls, channels, outgoings, reports, settle, specs, updates, happened } = await referred();
    assert.deepEqual([reports, happened()], [['202'], ['INVITE sip:bob@example.org']]);
    const [outgoing] = outgoings;
    const { identity, referredBy, handlers, offer } = outgoing!.request;
    assert.deepEqual([identity.uri, referredBy], ['sip:clock@192.0.2.1', '<sip:anna@example.org>']);
    assert.match((await offer('192.0.2.1')) as string, /^m=video \d+ RTP\/AVP 96\r$/m);
    assert.deepEqual(happened(), ['add placed-1']);
    assert.deepEqual(specs.at(-1)?.transport, { kind: 'rtp', localAddress: '192.0.2.1', peerAddress: '' });
    handlers.progress(180, 'Ringing');
    outgoing!.accept(ANSWER);
    await settle();
    assert.deepEqual(happened(), [
      'feed 2: pcma',
      'feed 3: h264',
      'update placed-1: audio 2, video 3',
      'confirm placed-1',
    ]);
    assert.equal(updates.at(-1)?.peerAddress, '192.0.2.20');
    assert.deepEqual(reports, ['202', '180 Ringing', '200 OK']);
    assert.deepEqual(
      calls.list().map(({ id, channel, codecs }) => [id, channel.config.name, codecs]),
      [
        ['call-1', 'clock', ['pcmu']],
        ['placed-1', 'clock', ['h264', 'pcma']],
      ],
    );
    assert.equal(channels.find('clock')?.viewers, 2);
  });

  it('may hang up while it rings', async () => {
    const { calls, incoming, outgoings, reports, settle, happened } = await referred();
    await outgoings[0]!.request.offer('192.0.2.1');
    incoming.handlers?.ended({ by: 'peer', cause: null });
    outgoings[0]!.accept(ANSWER);
    await settle();
    assert.ok(happened().includes('confirm placed-1'));
    assert.deepEqual([calls.size, reports.at(-1)], [1, '200 OK']);
  });

  it('hears why nobody takes it, and goes on watching', async () => {
    const { calls, outgoings, reports, happened } = await referred();
    await outgoings[0]!.request.offer('192.0.2.1');
    happened();
    outgoings[0]!.request.handlers.refused({ status: 486, reason: 'Busy Here' });
    assert.deepEqual([reports, happened()], [['202', '486 Busy Here'], ['remove placed-1']]);
    assert.deepEqual(
      calls.list().map(({ id }) => id),
      ['call-1'],
    );
    assert.equal(calls.outcomes.refused, 1);
  });

  for (const [name, answer] of [
    ['no answer', null],
    ['an answer that is no SDP', 'hello'],
  ] as const) {
    it(`has who gives ${name} hung up on`, async () => {
      const { calls, outgoings, reports, settle, happened } = await referred();
      await outgoings[0]!.request.offer('192.0.2.1');
      happened();
      outgoings[0]!.accept(answer);
      await settle();
      assert.match(happened().join(), /^BYE SIP 488 .*remove placed-1$/);
      assert.equal(reports[1]?.slice(0, 3), '488');
      assert.equal(calls.size, 1);
    });
  }

  it('names the call that it is to take the place of', async () => {
    const { outgoings } = await referred({ replaces: 'a;to-tag=b;from-tag=c' });
    assert.equal(outgoings[0]?.request.replaces, 'a;to-tag=b;from-tag=c');
  });

  it('may not name whom he likes', async () => {
    const { reports, happened } = await referred({ to: 'sip:+19005550100@gateway.example.com' });
    assert.deepEqual([reports, happened()], [['rejected 403'], []]);
  });

  it('has to wait for a place', async () => {
    const { reports } = await referred({ viewers: 1 });
    assert.deepEqual(reports, ['rejected 503']);
  });

  it('has it end with the channel', async () => {
    const { channels, outgoings, reports, happened } = await referred();
    await outgoings[0]!.request.offer('192.0.2.1');
    happened();
    channels.sourceFailed('clock', 'the source has failed');
    assert.ok(happened().includes('CANCEL SIP 480 the source has failed'));
    assert.deepEqual(reports, ['202', '487 Request Terminated']);
  });

  it('lets the next one hand it on as well', async () => {
    const { outgoings, reports, settle } = await referred();
    await outgoings[0]!.request.offer('192.0.2.1');
    outgoings[0]!.accept(ANSWER);
    await settle();
    const again: string[] = [];
    refer({ handlers: outgoings[0]!.request.handlers as never }, again, 'sip:bob2@example.org', null);
    assert.deepEqual([again, reports.at(-1), outgoings.length], [['202'], '200 OK', 2]);
  });
});

it('no channel is opened for somebody who is not found', async () => {
  const { outgoings, happened } = await referred();
  happened();
  outgoings[0]!.request.handlers.refused({ status: 480 });
  assert.deepEqual(happened(), []);
});
