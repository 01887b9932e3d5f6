import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Response } from '../message/index.ts';
import { FakeFlow } from '../testing.ts';
import type { SipTransport } from '../types.ts';
import { contactsOf, type Registration, TestRegistrar } from './testing.ts';

let tested: TestRegistrar;
beforeEach(() => {
  tested = new TestRegistrar();
});

const find = (uri = 'sip:ann@example.org') => tested.registrar.find(uri);
const flowOver = (transport: SipTransport) => new FakeFlow(tested.clock, transport);

// JsSIP 3.13 over WebSocket, as it registers.
const INSTANCE = '"<urn:uuid:0b3ff7ad-6d8c-4f3b-9a53-d5dbd2a9bd5b>"';
const jssipContact = (name: string) =>
  `<sip:${name}@k3v8qd2m1.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance=${INSTANCE}`;
const JSSIP: Registration = {
  via: 'SIP/2.0/WS k3v8qd2m1.invalid;branch=z9hG4bK4711',
  supported: 'path,gruu,outbound',
  contacts: [`${jssipContact('r8s2kq0e')};expires=600`],
  expires: '600',
};

/** The RFC's own client: two edge proxies, a flow by each (RFC 5626 §9). */
const DEVICE = '"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"';
const edgePath = (edge: number) => `<sip:VskztcQ/S8p4WPbOnHbuyh5iJvJIW3ib@ep${edge}.example.com;lr;ob>`;
const byEdge = (edge: number): Registration => ({
  to: '<sip:bob@example.com>',
  contacts: [`<sip:line1@192.0.2.2;transport=tcp>;reg-id=${edge};+sip.instance=${DEVICE}`],
  callId: `flow-${edge}`,
  supported: 'path, outbound',
  via: `SIP/2.0/TCP ep${edge}.example.com;branch=z9hG4bKnu, SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKnashds${edge}`,
  path: [edgePath(edge)],
  expires: '3600',
});

const outboundOf = (response: Response) => [response.get('require'), response.get('flow-timer')];

describe('a browser', () => {
  test('that registers over WebSocket has its flow kept, and knows its own Contact in the answer', () => {
    const flow = flowOver('wss');
    const response = tested.register({ ...JSSIP, flow });
    assert.deepEqual([response.status, ...outboundOf(response)], [200, 'outbound', '120']);
    assert.equal(response.get('supported'), 'path, outbound, gruu');
    const [contact, ...others] = contactsOf(response);
    assert.equal(others.length, 0);
    assert.equal(contact!.uri, 'sip:r8s2kq0e@k3v8qd2m1.invalid;transport=ws');
    const { parameters } = contact!;
    assert.deepEqual(
      [parameters.get('reg-id'), parameters.get('expires'), parameters.has('+sip.ice')],
      ['1', '600', true],
    );
    // JsSIP compares the text, quotes and all.
    assert.ok(response.get('contact')!.includes(`+sip.instance=${INSTANCE}`));
    assert.deepEqual(
      find().map(target => [target.uri, target.flow, target.path]),
      [['sip:r8s2kq0e@k3v8qd2m1.invalid;transport=ws', flow, []]],
    );
  });

  test('that comes back on another connection replaces the flow that it had, whatever its Contact and Call-ID', () => {
    const first = flowOver('wss');
    tested.register({ ...JSSIP, flow: first });
    const again = flowOver('wss');
    const contacts = [jssipContact('another')];
    const response = tested.register({ ...JSSIP, contacts, callId: 'another', flow: again });
    assert.deepEqual(
      contactsOf(response).map(({ uri }) => uri),
      ['sip:another@k3v8qd2m1.invalid;transport=ws'],
    );
    first.close();
    assert.deepEqual(
      find().map(({ flow }) => flow),
      [again],
    );
  });

  test('that closes its connection is nowhere, and its binding is forgotten', () => {
    const flow = flowOver('wss');
    tested.register({ ...JSSIP, flow });
    assert.equal(tested.registrar.size, 1);
    flow.close();
    assert.deepEqual([find(), tested.bindings(), tested.registrar.size], [[], [], 0]);
  });

  test('that unregisters is gone', () => {
    tested.register(JSSIP);
    const response = tested.register({
      ...JSSIP,
      contacts: [`${jssipContact('r8s2kq0e')};expires=0`],
      expires: '0',
      sequence: 2,
    });
    assert.deepEqual([response.status, response.list('contact')], [200, []]);
  });

  test('whose REGISTER is older than the one that was seen changes nothing', () => {
    tested.register({ ...JSSIP, sequence: 5 });
    const response = tested.register({ ...JSSIP, contacts: [jssipContact('old')], sequence: 4 });
    assert.deepEqual([response.status, response.reason], [500, 'CSeq is out of order']);
    assert.equal(find()[0]?.uri, 'sip:r8s2kq0e@k3v8qd2m1.invalid;transport=ws');
  });

  test('of another device has a binding of its own', () => {
    tested.register(JSSIP);
    const contacts = [jssipContact('r8s2kq0e').replace('0b3ff7ad', '1b3ff7ad')];
    assert.equal(tested.register({ ...JSSIP, contacts }).list('contact').length, 2);
  });

  for (const transport of ['ws', 'wss'] as const) {
    test(`that knows nothing of outbound is reached over its ${transport}, and gone with it`, () => {
      const flow = flowOver(transport);
      const contacts = ['<sip:ann@example.org;transport=ws>'];
      assert.deepEqual(outboundOf(tested.register({ via: JSSIP.via!, contacts, flow })), [null, null]);
      assert.equal(find()[0]?.flow, flow);
      flow.close();
      assert.deepEqual(find(), []);
    });
  }
});

test('a phone whose flow over TCP is kept is gone with it', () => {
  const contacts = [`<sip:ann@192.0.2.7;transport=tcp>;reg-id=1;+sip.instance=${DEVICE}`];
  assert.deepEqual(outboundOf(tested.register({ contacts, supported: 'outbound' })), ['outbound', '120']);
  assert.equal(find()[0]?.flow, tested.flow);
  tested.flow.close();
  assert.deepEqual(find(), []);
});

describe('a client behind edge proxies', () => {
  test('has a flow by each; a request takes the youngest first', () => {
    for (const edge of [1, 2]) {
      const response = tested.register(byEdge(edge));
      // How long the flow may be silent is for the edge proxy to say.
      assert.deepEqual([response.status, ...outboundOf(response)], [200, 'outbound', null]);
      assert.deepEqual(response.list('path'), [edgePath(edge)]);
    }
    assert.deepEqual(
      find('sip:bob@example.com').map(({ uri, path, flow, instance }) => ({ uri, path, flow, instance })),
      [2, 1].map(edge => ({
        uri: 'sip:line1@192.0.2.2;transport=tcp',
        path: [edgePath(edge)],
        flow: null,
        instance: 'urn:uuid:00000000-0000-1000-8000-000a95a0e128',
      })),
    );
  });

  test('keeps its flows when the connection closes on which the proxy passed them on', () => {
    tested.register(byEdge(1));
    tested.flow.close();
    assert.equal(find('sip:bob@example.com').length, 1);
  });

  test('may have another proxy between the edge and us', () => {
    const path = ['<sip:core.example.com;lr>', edgePath(1)];
    assert.deepEqual(outboundOf(tested.register({ ...byEdge(1), path })), ['outbound', null]);
  });
});

describe('where a proxy on the way does not know of flows', () => {
  for (const [name, path] of [
    ['without a Path', []],
    ['with a Path of its own', ['<sip:ep1.example.com;lr>']],
    ['with one that another proxy marked', [edgePath(2), '<sip:ep1.example.com;lr>']],
  ] as const) {
    test(`${name}, a client that wants one is told: 439`, () => {
      const response = tested.register({ ...byEdge(1), path });
      assert.deepEqual([response.status, response.reason], [439, 'First Hop Lacks Outbound Support']);
      assert.deepEqual(find('sip:bob@example.com'), []);
    });

    test(`${name}, a client that knows of none is served by its Contact`, () => {
      const { supported, ...plain } = byEdge(1);
      assert.equal(supported, 'path, outbound');
      const contacts = [`<sip:other@192.0.2.2>;reg-id=1;+sip.instance=${DEVICE}`];
      assert.deepEqual(outboundOf(tested.register({ ...plain, path })), [null, null]);
      assert.equal(tested.register({ ...plain, path, contacts, sequence: 2 }).list('contact').length, 2);
    });
  }
});

describe('a reg-id', () => {
  for (const [name, parameters] of [
    ['without an instance', ';reg-id=1'],
    ['that is 0', `;reg-id=0;+sip.instance=${DEVICE}`],
    ['that is no number', `;reg-id=a;+sip.instance=${DEVICE}`],
    ['of an instance that is no URN in brackets', ';reg-id=1;+sip.instance="phone"'],
  ] as const) {
    test(`${name} says nothing: contacts are told apart by their URIs`, () => {
      const contacts = (user: string) => [`<sip:${user}@192.0.2.7>${parameters}`];
      const first = tested.register({ supported: 'outbound', contacts: contacts('a') });
      assert.deepEqual([first.status, ...outboundOf(first)], [200, null, null]);
      const second = tested.register({ supported: 'outbound', contacts: contacts('b'), sequence: 2 });
      assert.equal(second.list('contact').length, 2);
    });
  }

  test('says nothing over UDP, where flows are kept with STUN', () => {
    const response = tested.register({ ...JSSIP, flow: flowOver('udp') });
    assert.deepEqual([response.status, ...outboundOf(response)], [200, null, null]);
  });

  test('beside another Contact that stays: 400', () => {
    const contacts = [jssipContact('a'), '<sip:b@192.0.2.7>'];
    assert.equal(tested.register({ ...JSSIP, contacts }).status, 400);
    assert.deepEqual(find(), []);
  });

  test('beside one that goes is served', () => {
    tested.register({ contacts: ['<sip:b@192.0.2.7>'] });
    const contacts = [jssipContact('a'), '<sip:b@192.0.2.7>;expires=0'];
    assert.equal(tested.register({ ...JSSIP, contacts, sequence: 2 }).status, 200);
    assert.deepEqual(
      find().map(({ uri }) => uri),
      ['sip:a@k3v8qd2m1.invalid;transport=ws'],
    );
  });

  test('is no protection from whoever removes its URI', () => {
    tested.register(JSSIP);
    const contacts = ['<sip:r8s2kq0e@k3v8qd2m1.invalid;transport=ws>;expires=0'];
    assert.deepEqual(tested.register({ contacts, sequence: 2 }).list('contact'), []);
  });
});

describe('a phone without outbound', () => {
  for (const [name, registration, isReached] of [
    ['whose Contact is as its Via', { contacts: ['<sip:a@192.0.2.7:5062;transport=tcp>'] }, true],
    [
      'behind a NAT, whose Contact is where we see it',
      { contacts: ['<sip:a@192.0.2.7>'], via: 'SIP/2.0/TCP 10.0.0.5;branch=z9hG4bK1' },
      true,
    ],
    [
      'behind a NAT of which it does not know',
      { contacts: ['<sip:a@10.0.0.5>'], via: 'SIP/2.0/TCP 10.0.0.5;branch=z9hG4bK1' },
      true,
    ],
    ['behind a proxy that hides it', { contacts: ['<sip:a@192.0.2.7>'], path: ['<sip:192.0.2.7;lr>'] }, false],
    ['that registers another one', { contacts: ['<sip:a@192.0.2.9>'] }, false],
    [
      'behind a proxy that leaves no Path',
      { contacts: ['<sip:a@192.0.2.7>'], via: 'SIP/2.0/TCP p;branch=z9hG4bK2, SIP/2.0/TCP 192.0.2.7;branch=z9hG4bK1' },
      false,
    ],
  ] as const satisfies readonly (readonly [string, Registration, boolean])[]) {
    test(`${name} is reached ${isReached ? 'over its flow' : 'by its URI'}`, () => {
      tested.register(registration);
      assert.deepEqual(
        find().map(({ flow }) => flow),
        [isReached ? tested.flow : null],
      );
    });
  }

  test('whose connection closes is reached by its URI, until it has expired', () => {
    tested.register({ contacts: ['<sip:a@192.0.2.7>;expires=60'] });
    tested.flow.close();
    assert.equal(tested.registrar.size, 1);
    assert.deepEqual(
      find().map(({ uri, flow }) => [uri, flow]),
      [['sip:a@192.0.2.7', null]],
    );
    tested.clock.advance(60_000);
    assert.deepEqual(find(), []);
  });
});
