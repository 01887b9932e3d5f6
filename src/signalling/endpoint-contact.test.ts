import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest, type RequestParts } from './testing.ts';
import type { IncomingCall, SipTransport } from './types.ts';

for (const [transport, inContact, inVia] of [
  ['udp', 'udp', 'UDP'],
  ['tcp', 'tcp', 'TCP'],
  ['tls', 'tls', 'TLS'],
  ['ws', 'ws', 'WS'],
  // RFC 7118 §5.2: WSS in a Via, but never in a URI.
  ['wss', 'ws', 'WSS'],
] satisfies [SipTransport, string, string][]) {
  test(`a call over ${transport} finds ${inContact} in our Contact, and ${inVia} in the Via of our BYE`, t => {
    const clock = new FakeClock();
    const calls: IncomingCall[] = [];
    const endpoint = new SignallingEndpoint({
      clock,
      log: createLogger({ level: 'silent' }),
      guests: true,
      handlers: { invite: call => void calls.push(call) },
    });
    t.after(() => endpoint.close());
    const flow = new FakeFlow(clock, transport);
    const via = `SIP/2.0/${inVia} 192.0.2.7:5062;branch=`;
    endpoint.receive(flow, serialise(makeInvite({ via: `${via}z9hG4bK1` })));
    flow.take();
    calls[0]!.accept('answer');
    const ok = flow.takeResponse();
    assert.equal(ok.get('contact'), `<sip:news@192.0.2.1:5060;transport=${inContact}>`);
    endpoint.receive(flow, serialise(makeRequest('ACK', { to: ok.get('to')!, via: `${via}z9hG4bK2` })));
    calls[0]!.hangUp({ protocol: 'SIP', cause: 200, text: 'over' });
    const bye = flow.takeRequest();
    assert.equal(bye.method, 'BYE');
    assert.match(bye.get('via')!, new RegExp(`^SIP/2\\.0/${inVia} 192\\.0\\.2\\.1:5060;branch=`));
  });
}

for (const [name, transport, parts, contact] of [
  ['whose Request-URI is sips:', 'tls', { uri: 'sips:news@192.0.2.1' }, '<sips:news@192.0.2.1:5060;transport=tcp>'],
  ['in the secure web', 'wss', { uri: 'sips:news@192.0.2.1' }, '<sips:news@192.0.2.1:5060;transport=ws>'],
  [
    'whose last proxy records a sips: route',
    'tls',
    { headers: [['record-route', '<sips:proxy.example;lr>']] },
    '<sips:news@192.0.2.1:5060;transport=tcp>',
  ],
  [
    'whose first proxy alone is secure',
    'tls',
    { headers: [['record-route', '<sip:a.example;lr>, <sips:b.example;lr>']] },
    '<sip:news@192.0.2.1:5060;transport=tls>',
  ],
  // No secure way to us can be named.
  ['over what is not secure', 'tcp', { uri: 'sips:news@192.0.2.1' }, '<sip:news@192.0.2.1:5060;transport=tcp>'],
] satisfies [string, SipTransport, RequestParts, string][]) {
  test(`a call ${name} finds ${contact} in our Contact (RFC 3261 §12.1.1)`, t => {
    const clock = new FakeClock();
    const endpoint = new SignallingEndpoint({
      clock,
      log: createLogger({ level: 'silent' }),
      guests: true,
      handlers: { invite: call => call.accept('answer') },
    });
    t.after(() => endpoint.close());
    const flow = new FakeFlow(clock, transport);
    endpoint.receive(flow, serialise(makeInvite(parts)));
    assert.equal(flow.takeResponse().get('contact'), contact);
  });
}
