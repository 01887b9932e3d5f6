import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { PLAIN_OFFER, SipClient } from './support/sip-client.ts';
import { runSipp, type SippResult } from './support/sipp.ts';
import { until } from './support/until.ts';

/** SIPp is the phone that a viewer hands his channel on to: we call it. */
describe('SIPp, called by us', { skip: missing('sipp') }, () => {
  let server: DialcastServer;
  let viewer: SipClient;
  let calls = 0;

  before(async () => {
    server = await DialcastServer.start();
    viewer = await SipClient.open('udp', server.ports.udp);
  });
  after(async () => {
    viewer?.close();
    await server?.stop();
  });

  /** SIPp as a phone of this user; it waits for one call. */
  const called = async (user: string, scenario: string): Promise<{ result: Promise<SippResult> }> => {
    const registrar = await SipClient.open('udp', server.ports.udp);
    const { status } = await registrar.ask(registrar.request({ method: 'REGISTER', target: user }));
    assert.equal(status, 200);
    registrar.close();
    const { ports } = server;
    const options = { scenario, port: ports.udp, ownPort: registrar.localPort, target: user, callsPerSecond: 1 };
    return { result: runSipp({ ...options, transport: 'udp', calls: 1 }) };
  };

  /** A viewer of the clock who refers us to this user; he gets to know what becomes of it. */
  const refer = async (user: string): Promise<void> => {
    const callId = `refer-${++calls}`;
    const { text } = await viewer.ask(viewer.request({ callId, body: PLAIN_OFFER }));
    const toTag = /^To:.*;tag=([^;\s]+)/m.exec(text)![1]!;
    viewer.tell(viewer.request({ method: 'ACK', callId, toTag }));
    const headers = [`Refer-To: <sip:${user}@127.0.0.1>`];
    const { status } = await viewer.ask(viewer.request({ method: 'REFER', callId, toTag, cseq: 2, headers }));
    assert.equal(status, 202);
    assert.equal((await viewer.ask(viewer.request({ method: 'BYE', callId, toTag, cseq: 3 }))).status, 200);
  };

  const wentWell = async (phone: { result: Promise<SippResult> }) => {
    const { exitCode, successful, errors } = await phone.result;
    assert.deepEqual([exitCode, successful], [0, 1], errors);
  };

  for (const [scenario, name] of [
    ['called-reliable', 'rings reliably and has its PRACK'],
    ['called-forked', 'answers twice, and is told that one of the answers is of no use'],
  ] as const) {
    test(name, { timeout: 80_000 }, async () => {
      const phone = await called(scenario, scenario);
      await refer(scenario);
      await wentWell(phone);
    });
  }

  test('answers although it was cancelled, because another was quicker', { timeout: 80_000 }, async () => {
    const late = await called('both', 'called-late');
    const quick = await called('both', 'called');
    await refer('both');
    await wentWell(quick);
    await wentWell(late);
  });

  test('leaves no call behind', async () => {
    await until('no call', async () => (await server.api<{ calls: unknown[] }>('/api/calls')).calls.length === 0);
  });
});
