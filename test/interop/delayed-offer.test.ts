import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RtpReceiver } from './support/rtp-receiver.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

test('a phone that leaves the offer to us gets a picture once its ACK has the answer', { timeout: 60_000 }, async t => {
  const server = await DialcastServer.start();
  t.after(() => server.stop());
  const client = await SipClient.open('udp', server.ports.udp);
  t.after(() => client.close());
  const receiver = await RtpReceiver.open();
  t.after(() => receiver.close());

  const callId = 'delayed';
  const { status, text } = await client.ask(client.request({ callId }));
  assert.equal(status, 200);
  assert.match(text, /^m=audio \d+ RTP\/AVP 8\r\n[\s\S]*^m=video \d+ RTP\/AVP 96\r$/m);
  assert.equal(receiver.packets, 0);

  const toTag = /^To:.*;tag=([^;\s]+)/m.exec(text)![1]!;
  // The offer has sound first, which this phone does not want, and names its formats itself.
  const answer = receiver.offer
    .replace('m=video', 'm=audio 0 RTP/AVP 8\r\nm=video')
    .replaceAll(/\b99\b/g, '96')
    .replace('a=rtcp-mux\r\n', '');
  client.tell(client.request({ method: 'ACK', callId, toTag, body: answer }));
  await until('a key frame', () => receiver.keyFrameAtMs !== null);
  assert.equal((await client.ask(client.request({ method: 'BYE', callId, toTag, cseq: 2 }))).status, 200);
});
