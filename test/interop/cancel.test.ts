import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DialcastServer } from './support/server.ts';
import { PLAIN_OFFER, SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

const RACES = 50;

/** RFC 3261 §9.2: whichever comes first, both sides agree whether there is a call. */
for (const transport of ['udp', 'tcp'] as const) {
  describe(`a CANCEL over ${transport.toUpperCase()}`, () => {
    let server: DialcastServer;
    let client: SipClient;

    before(async () => {
      server = await DialcastServer.start();
      client = await SipClient.open(transport, server.ports[transport]);
    });
    after(async () => {
      client?.close();
      await server?.stop();
    });

    test(`races ${RACES} times with the answer`, { timeout: 60_000 }, async t => {
      // The channel opens once; then an answer takes some milliseconds.
      const first = await client.call('clock');
      const outcomes = { 200: 0, 487: 0 };
      for (let race = 0; race < RACES; race++) {
        const callId = `race-${race}`;
        const parts = { callId, branch: `z9hG4bK-race-${race}` };
        client.tell(client.request({ ...parts, body: PLAIN_OFFER }));
        const final = (method: string) =>
          until(`a final response to ${method}`, () => finalResponse(client.received, callId, method));
        // From right behind the INVITE, over more and more that stands between, to after the answer.
        for (let between = 0; between < race; between++) client.tell(client.request({ method: 'OPTIONS' }));
        if (race === RACES - 1) await final('INVITE');
        client.tell(client.request({ ...parts, method: 'CANCEL' }));
        assert.equal((await final('CANCEL')).status, 200);
        const { status, toTag } = await final('INVITE');
        assert.ok(status === 200 || status === 487, `${status}`);
        outcomes[status]++;
        // The ACK to a refusal has the INVITE's branch, the one to a 200 its own.
        client.tell(client.request({ ...(status === 200 ? { callId } : parts), method: 'ACK', toTag }));
        const bye = await client.ask(client.request({ callId, method: 'BYE', toTag, cseq: 2 }));
        assert.equal(bye.status, status === 200 ? 200 : 481);
      }
      t.diagnostic(`${outcomes[487]} were cancelled, ${outcomes[200]} were answered before`);
      assert.ok(outcomes[487] > 0 && outcomes[200] > 0);
      await first.hangUp();
      await until('no call', async () => (await server.api<{ calls: unknown[] }>('/api/calls')).calls.length === 0);
      assert.equal(await server.metric('dialcast_calls_total', { outcome: 'cancelled' }), outcomes[487]);
      assert.equal(await server.metric('dialcast_viewers'), 0);
    });
  });
}

function finalResponse(received: string, callId: string, method: string): { status: number; toTag: string } | null {
  const found = received
    .split(/(?=^SIP\/2\.0 \d)/m)
    .find(
      text => /^SIP\/2\.0 [2-6]/.test(text) && text.includes(`Call-ID: ${callId}\r`) && text.includes(`1 ${method}`),
    );
  if (found === undefined) return null;
  const [, status] = /^SIP\/2\.0 (\d+)/.exec(found)!;
  return { status: Number(status), toTag: /^To:.*;tag=([^;\s]+)/m.exec(found)![1]! };
}
