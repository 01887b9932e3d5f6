import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header } from '../message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from '../testing.ts';
import { dialogKey } from './dialog.ts';
import { Dialog } from './index.ts';

const clock = new FakeClock();
const flow = new FakeFlow(clock);
const VIA = 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1';
const TO = '<sip:news@192.0.2.1>;tag=ours';

const dialogOf = (...parts: Parameters<typeof makeInvite>) => Dialog.asServer(makeInvite(...parts), 'ours', flow);

describe('a dialog as UAS', () => {
  test('is known by Call-ID and both tags', () => {
    const dialog = dialogOf();
    assert.deepEqual([dialog.callId, dialog.localTag, dialog.remoteTag], ['call-1', 'ours', 'ann']);
    assert.equal(dialog.key, dialogKey('call-1', 'ours', 'ann'));
    assert.notEqual(dialog.key, dialogKey('call-1', 'ours', null));
    assert.notEqual(dialog.key, dialogKey('call-1', 'ann', 'ours'));
  });

  test('asks with From and To turned round, in its own sequence', () => {
    const dialog = dialogOf();
    const first = dialog.request('BYE', VIA, { headers: [['reason', 'SIP;cause=480']] });
    assert.deepEqual([first.method, first.uri], ['BYE', 'sip:ann@192.0.2.7:5062']);
    assert.deepEqual(first.headers, [
      ['via', VIA],
      ['max-forwards', '70'],
      ['from', '<sip:news@192.0.2.1>;tag=ours'],
      ['to', '"Ann" <sip:ann@example.org>;tag=ann'],
      ['call-id', 'call-1'],
      ['cseq', '1 BYE'],
      ['reason', 'SIP;cause=480'],
    ]);
    assert.equal(dialog.request('OPTIONS', VIA).get('cseq'), '2 OPTIONS');
  });

  test('without a Contact asks the address in From', () => {
    const dialog = Dialog.asServer(makeRequest('INVITE'), 'ours', flow);
    assert.equal(dialog.request('BYE', VIA).uri, 'sip:ann@example.org');
  });

  test('of an INVITE with one Via is direct', () => {
    assert.equal(dialogOf().direct, true);
    assert.equal(dialogOf({ headers: [['via', 'SIP/2.0/UDP 10.0.0.1']] }).direct, false);
  });
});

describe('the route set (RFC 3261 §12.1.1, §12.2.1.1)', () => {
  const target = 'sip:ann@192.0.2.7:5062';
  const cases: readonly [name: string, recordRoutes: readonly string[], uri: string, routes: readonly string[]][] = [
    ['is empty without Record-Route', [], target, []],
    [
      'is the Record-Route headers in their order',
      ['<sip:p1;lr>, "P" <sip:p2;lr>;x=1', '<sip:p3;lr>'],
      target,
      ['<sip:p1;lr>', '"P" <sip:p2;lr>;x=1', '<sip:p3;lr>'],
    ],
    ['may write lr with a value', ['<sip:p1;LR=on>'], target, ['<sip:p1;LR=on>']],
    [
      'has a strict router as Request-URI, and the target last',
      ['<sip:p1>, <sip:p2;lr>'],
      'sip:p1',
      ['<sip:p2;lr>', `<${target}>`],
    ],
    ['is strict when lr is only a part of another name', ['<sip:p1;lrx>'], 'sip:p1;lrx', [`<${target}>`]],
    ['is strict when lr stands outside the URI', ['<sip:p1>;lr'], 'sip:p1', [`<${target}>`]],
  ];
  for (const [name, recordRoutes, uri, routes] of cases) {
    test(name, () => {
      const headers = recordRoutes.map((value): Header => ['record-route', value]);
      const request = dialogOf({ headers }).request('BYE', VIA);
      assert.deepEqual([request.uri, request.list('route')], [uri, routes]);
    });
  }
});

describe('a request in the dialog (§12.2.2)', () => {
  const at = (sequence: number, method = 'OPTIONS') => makeRequest(method, { to: TO, sequence });

  test('is in order when its CSeq is higher than all before', () => {
    const dialog = dialogOf({ sequence: 10 });
    const results = [9, 10, 12, 11, 12, 13].map(sequence => dialog.receive(at(sequence), flow));
    assert.deepEqual(results, [false, false, true, false, false, true]);
  });

  test('may be an ACK with the number of its INVITE', () => {
    const dialog = dialogOf({ sequence: 10 });
    assert.deepEqual([dialog.receive(at(10, 'ACK'), flow), dialog.receive(at(11), flow)], [true, true]);
  });

  test('moves the flow, but not when it is out of order', () => {
    const dialog = dialogOf({ sequence: 10 });
    const other = new FakeFlow(clock);
    dialog.receive(at(10), other);
    assert.equal(dialog.flow, flow);
    dialog.receive(at(11), other);
    assert.equal(dialog.flow, other);
  });

  test('moves the target when it is an INVITE with a Contact, and only then', () => {
    const dialog = dialogOf();
    const contact: Header[] = [['contact', '<sip:moved@198.51.100.1>']];
    const target = () => dialog.request('BYE', VIA).uri;
    dialog.receive(makeRequest('OPTIONS', { to: TO, sequence: 2, headers: contact }), flow);
    assert.equal(target(), 'sip:ann@192.0.2.7:5062');
    dialog.receive(makeRequest('INVITE', { to: TO, sequence: 3, headers: contact }), flow);
    assert.equal(target(), 'sip:moved@198.51.100.1');
    dialog.receive(makeRequest('INVITE', { to: TO, sequence: 4 }), flow);
    assert.equal(target(), 'sip:moved@198.51.100.1');
    dialog.receive(makeRequest('INVITE', { to: TO, sequence: 5, headers: [['contact', 'nonsense']] }), flow);
    assert.equal(target(), 'sip:moved@198.51.100.1');
  });
});
