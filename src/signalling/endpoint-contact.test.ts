import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from './testing.ts';
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
