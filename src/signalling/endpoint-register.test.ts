import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeRequest } from './testing.ts';

test('a browser may require what a registrar can do, and is registered for as long as its connection is open', t => {
  const clock = new FakeClock();
  const flow = new FakeFlow(clock, 'wss');
  const log = createLogger({ level: 'silent' });
  const endpoint = new SignallingEndpoint({ clock, log, guests: true, handlers: { invite: () => undefined } });
  t.after(() => endpoint.close());
  const register = makeRequest('REGISTER', {
    via: 'SIP/2.0/WSS k3v8qd2m1.invalid;branch=z9hG4bK1',
    to: '<sip:ann@example.org>',
    headers: [
      ['require', 'path, gruu, outbound'],
      ['contact', '<sip:r8s2kq0e@k3v8qd2m1.invalid;transport=ws>;reg-id=1;+sip.instance="<urn:uuid:1>"'],
    ],
  });
  endpoint.receive(flow, serialise(register));
  const response = flow.takeResponse();
  assert.deepEqual([response.status, response.get('require'), response.get('flow-timer')], [200, 'outbound', '120']);
  assert.match(response.get('contact')!, /;pub-gruu="sip:ann@example\.org;gr=urn:uuid:1";temp-gruu="sip:tgruu\./);
  assert.equal(endpoint.sizes.registrations, 1);
  flow.close();
  assert.equal(endpoint.sizes.registrations, 0);
});
