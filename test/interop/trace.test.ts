import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CaptureNode } from './support/capture-node.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { PLAIN_OFFER, type SipAnswer, SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

interface Trace {
  call: string;
  sipCallId: string;
  messages: {
    order: number;
    atMs: number;
    direction: 'in' | 'out';
    transport: string;
    local: string;
    remote: string;
    startLine: string;
    text: string;
  }[];
  dropped: number;
}

/** A call's id is our tag in its dialog. */
const idOf = ({ text }: SipAnswer) => /^To:.*;tag=([^;\s]+)/m.exec(text)![1]!;
const callIdOf = ({ text }: SipAnswer) => /^Call-ID: (\S+)/m.exec(text)![1]!;

const KEY_OFFER = `${PLAIN_OFFER}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:5ca1ab1e\r\n`;

for (const transport of ['udp', 'tcp'] as const) {
  describe(`the SIP trace of a call over ${transport.toUpperCase()}`, () => {
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

    const trace = (id: string) => server.api<Trace>(`/api/calls/${id}/sip`);
    // How long the channel takes to open decides what comes before the final answer, and how busy the machine is how
    // often that comes.
    const ladder = ({ messages }: Trace) =>
      messages
        .map(({ direction, startLine }) => `${direction} ${startLine}`)
        .filter((line, index, lines) => !line.startsWith('out SIP/2.0 1') && line !== lines[index - 1]);

    test('is its ladder while it lives and after it has ended', async () => {
      const { answer, hangUp } = await client.call('clock', KEY_OFFER);
      const id = idOf(answer);
      const { calls } = await server.api<{ calls: { id: string }[] }>('/api/calls');
      assert.deepEqual(
        calls.map(call => call.id),
        [id],
      );
      const live = await until('the ACK', async () => {
        const each = await trace(id);
        return ladder(each).some(line => line.startsWith('in ACK ')) && each;
      });
      const target = `sip:clock@127.0.0.1:${server.ports[transport]} SIP/2.0`;
      const begin = [`in INVITE ${target}`, 'out SIP/2.0 200 OK', `in ACK ${target}`];
      assert.deepEqual(ladder(live), begin);
      await hangUp();
      const past = await trace(id);
      assert.deepEqual(ladder(past), [...begin, `in BYE ${target}`, 'out SIP/2.0 200 OK']);
      assert.deepEqual([past.call, past.sipCallId, past.dropped], [id, callIdOf(answer), 0]);
      for (const [index, message] of past.messages.entries()) {
        assert.equal(message.order, index + 1);
        assert.equal(message.transport, transport);
        assert.equal(message.local, `127.0.0.1:${server.ports[transport]}`);
        assert.match(message.remote, /^127\.0\.0\.1:\d+$/);
        assert.ok(Math.abs(Date.now() - message.atMs) < 60_000);
        assert.ok(message.text.startsWith(`${message.startLine}\r\n`));
      }
      const invite = past.messages[0]!.text;
      assert.match(invite, /m=audio 6000 RTP\/AVP 8 0\r\n/);
      assert.match(invite, /a=crypto:1 AES_CM_128_HMAC_SHA1_80 \[redacted\]\r\n/);
      assert.ok(!JSON.stringify(past).includes('5ca1ab1e'));
    });

    test('is there for one that was refused', async () => {
      const refused = await client.ask(client.request({ target: 'nothing', body: PLAIN_OFFER }));
      assert.deepEqual(ladder(await trace(idOf(refused))).slice(0, 2), [
        `in INVITE sip:nothing@127.0.0.1:${server.ports[transport]} SIP/2.0`,
        'out SIP/2.0 404 No such channel',
      ]);
    });

    test('is not there for what was no call', async () => {
      const answer = await client.ask(client.request({ method: 'OPTIONS' }));
      for (const id of [idOf(answer), callIdOf(answer), 'nobody', '%00', 'x'.repeat(90)]) {
        const response = await fetch(`${server.origin()}/api/calls/${id}/sip`);
        assert.equal(response.status, 404, id);
        assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json\b/);
      }
    });

    test('is not told to other machines', { skip: OUTSIDE }, async () => {
      const { answer, hangUp } = await client.call('clock');
      const response = await fetch(`${server.origin(HOST)}/api/calls/${idOf(answer)}/sip`);
      assert.equal(response.status, 403);
      assert.ok(!(await response.text()).includes(callIdOf(answer)));
      await hangUp();
    });
  });
}

describe('a capture node of Homer', { skip: OUTSIDE || missing('kamailio') }, () => {
  const PORT = 9060;
  let node: CaptureNode;
  let server: DialcastServer;

  before(async () => {
    node = await CaptureNode.start(PORT);
    server = await DialcastServer.start({ trace: { hep: { address: '127.0.0.1', captureId: 4_242 } }, guests: true });
  });
  after(async () => {
    await server?.stop();
    await node?.stop();
  });

  for (const [transport, protocol] of [
    ['udp', 17],
    ['tcp', 6],
  ] as const) {
    test(`reads every message over ${transport.toUpperCase()}, and no credentials`, async () => {
      const client = await SipClient.open(transport, server.ports[transport]);
      const ours = `127.0.0.1:${server.ports[transport]}`;
      const headers = ['Authorization: Digest username="ann", realm="x", nonce="n", response="5ca1ab1e"'];
      const startedAtMs = Date.now();
      const options = await client.ask(client.request({ method: 'OPTIONS', headers }));
      const { answer, hangUp } = await client.call('clock', KEY_OFFER);
      await hangUp();
      for (const { text } of [options, answer]) {
        const sipCallId = /^Call-ID: (\S+)/m.exec(text)![1]!;
        const expected = text === options.text ? 2 : 5;
        const captured = await until(`${expected} messages of ${sipCallId}`, () => {
          const found = node.captured.filter(({ correlationId }) => correlationId === sipCallId);
          return found.length >= expected && found;
        });
        for (const each of captured) {
          const { version, family, type, captureId } = each;
          assert.deepEqual([version, family, each.protocol, type, captureId], [3, 2, protocol, 1, 4_242]);
          const isAnswer = each.text.startsWith('SIP/2.0 ');
          assert.equal(isAnswer ? each.source : each.destination, ours);
          assert.match(isAnswer ? each.destination : each.source, /^127\.0\.0\.1:\d+$/);
          assert.ok(each.atMs >= startedAtMs - 1 && each.atMs <= Date.now());
          assert.ok(each.text.includes(`\r\nCall-ID: ${sipCallId}\r\n`));
          assert.ok(!each.text.includes('5ca1ab1e'), each.text);
        }
        const asked = captured.find(each => /^(?:INVITE|OPTIONS) /.test(each.text))!;
        assert.match(asked.text, /\r\nAuthorization: \[redacted\]\r\n|\r\na=crypto:1 \S+ \[redacted\]\r\n/);
        const answers = captured.map(each => each.text);
        assert.ok(answers.includes(text), 'what the client got is what was told');
      }
      client.close();
    });
  }
});
