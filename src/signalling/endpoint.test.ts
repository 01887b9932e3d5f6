import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint, type SignallingOptions } from './endpoint.ts';
import { type Header, type Request, type Response, respond, serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest, type RequestParts } from './testing.ts';
import type { CallEnd, IncomingCall } from './types.ts';

let clock: FakeClock;
let flow: FakeFlow;
let endpoint: SignallingEndpoint;
let calls: IncomingCall[];
let events: string[];
let ends: CallEnd[];

beforeEach(() => {
  clock = new FakeClock();
  flow = new FakeFlow(clock);
  calls = [];
  events = [];
  ends = [];
  endpoint = create();
});

function create(options: Partial<SignallingOptions> = {}): SignallingEndpoint {
  return new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: {
      invite: call => {
        calls.push(call);
        call.handlers = {
          cancelled: () => events.push('cancelled'),
          answered: () => undefined,
          acknowledged: () => events.push('acknowledged'),
          reinvite: ({ offer, accept }) => {
            events.push(`reinvite ${offer}`);
            accept('again');
          },
          ended: end => {
            events.push('ended');
            ends.push(end);
          },
        };
      },
    },
    ...options,
  });
}

/** Hands a request over as the network would, and gives what comes back at once. */
function exchange(request: Request, over = flow): Response[] {
  endpoint.receive(over, serialise(request));
  return over.take() as Response[];
}

const statuses = (responses: readonly Response[]) => responses.map(({ status }) => status);

/** An INVITE that was accepted; its To is that of the dialog. */
function answered(parts: RequestParts = {}, over = flow): { call: IncomingCall; to: string } {
  assert.deepEqual(exchange(makeInvite(parts), over), []);
  const call = calls.at(-1)!;
  call.accept('answer');
  return { call, to: over.takeResponse().get('to')! };
}

/** A call that runs. */
function running(parts: RequestParts = {}, over = flow): { call: IncomingCall; to: string } {
  const call = answered(parts, over);
  assert.deepEqual(
    exchange(makeRequest('ACK', { ...parts, headers: [], to: call.to, branch: 'z9hG4bK-ack' }), over),
    [],
  );
  return call;
}

describe('a call', () => {
  test('goes from INVITE over 200 and ACK to the BYE of the caller', () => {
    assert.deepEqual(exchange(makeInvite()), []);
    assert.deepEqual([calls.length, calls[0]?.target, calls[0]?.offer], [1, 'news', 'offer']);
    calls[0]!.accept('answer');
    const ok = flow.takeResponse();
    assert.deepEqual([ok.status, ok.body.toString()], [200, 'answer']);
    assert.match(ok.toTag!, /^[0-9a-f]{24}$/);
    assert.equal(ok.get('contact'), '<sip:news@192.0.2.1:5060;transport=udp>');
    assert.equal(
      ok.get('allow'),
      'INVITE, ACK, CANCEL, BYE, INFO, MESSAGE, OPTIONS, PRACK, REFER, REGISTER, SUBSCRIBE, UPDATE',
    );

    const to = ok.get('to')!;
    exchange(makeRequest('ACK', { to, branch: 'z9hG4bK-ack' }));
    const [bye] = exchange(makeRequest('BYE', { to, sequence: 2, headers: [['reason', 'Q.850;cause=16']] }));
    assert.equal(bye?.status, 200);
    assert.deepEqual(events, ['acknowledged', 'ended']);
    assert.deepEqual(ends, [{ by: 'peer', cause: { protocol: 'Q.850', cause: 16, text: '' } }]);
    clock.advance(100_000);
    const { serverTransactions, clientTransactions, dialogs } = endpoint.sizes;
    assert.deepEqual([serverTransactions, clientTransactions, dialogs, clock.pending], [0, 0, 0, 0]);
  });

  test('is ended by our BYE, which goes by the routes of Record-Route', async () => {
    const routes: Header[] = [['record-route', '<sip:p1.example.org;lr>, <sip:p2.example.org;lr>']];
    const { call } = running({ headers: routes });
    call.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
    const bye = flow.takeRequest();
    assert.deepEqual([bye.method, bye.uri], ['BYE', 'sip:ann@192.0.2.7:5062']);
    assert.deepEqual(bye.list('route'), ['<sip:p1.example.org;lr>', '<sip:p2.example.org;lr>']);
    assert.match(bye.get('via')!, /^SIP\/2\.0\/UDP 192\.0\.2\.1:5060;branch=z9hG4bK[0-9a-f]{24};rport$/);
    assert.equal(bye.get('reason'), 'SIP;cause=480;text="Off air"');
    assert.deepEqual(events, ['acknowledged', 'ended']);

    let settled = false;
    const settling = endpoint.settle(60_000).then(() => {
      settled = true;
    });
    clock.advance(500);
    assert.equal(flow.takeRequest().method, 'BYE');
    await Promise.resolve();
    assert.equal(settled, false);
    endpoint.receive(flow, serialise(respond(bye, 200)));
    await settling;
    clock.advance(100_000);
    assert.deepEqual([flow.take(), endpoint.sizes.clientTransactions, clock.pending], [[], 0, 0]);
  });

  test('has Record-Route in its answers', () => {
    const routes: Header[] = [
      ['record-route', '<sip:p1;lr>'],
      ['record-route', '<sip:p2;lr>'],
    ];
    exchange(makeInvite({ headers: routes }));
    calls[0]!.ring();
    assert.deepEqual(flow.takeResponse().list('record-route'), ['<sip:p1;lr>', '<sip:p2;lr>']);
    calls[0]!.accept('answer');
    assert.deepEqual(flow.takeResponse().list('record-route'), ['<sip:p1;lr>', '<sip:p2;lr>']);
  });

  test('has a Contact without a user when none was called', () => {
    exchange(makeInvite({ uri: 'sip:192.0.2.1' }));
    calls[0]!.accept('answer');
    assert.equal(flow.takeResponse().get('contact'), '<sip:192.0.2.1:5060;transport=udp>');
  });

  test('is one call when its INVITE comes again', () => {
    const invite = makeInvite();
    assert.deepEqual([...exchange(invite), ...exchange(invite)], []);
    clock.advance(200);
    assert.deepEqual(statuses(flow.take() as Response[]), [180]);
    assert.deepEqual(statuses(exchange(invite)), [180]);
    calls[0]!.reject({ status: 486 });
    flow.take();
    assert.deepEqual(statuses(exchange(invite)), [486]);
    assert.equal(calls.length, 1);
  });

  test('that is refused is silent after its ACK', () => {
    exchange(makeInvite());
    calls[0]!.reject({ status: 486 });
    const to = flow.takeResponse().get('to')!;
    exchange(makeRequest('ACK', { to, branch: 'z9hG4bK-invite' }));
    clock.advance(100_000);
    assert.deepEqual([flow.take(), events, endpoint.sizes.serverTransactions], [[], [], 0]);
  });

  test('is acknowledged by an ACK with the branch of its INVITE, too', () => {
    const { to } = answered();
    exchange(makeRequest('ACK', { to, branch: 'z9hG4bK-invite' }));
    assert.deepEqual(events, ['acknowledged']);
    clock.advance(100_000);
    assert.deepEqual([flow.take(), events], [[], ['acknowledged']]);
  });

  test('takes a re-INVITE', () => {
    const { to } = running();
    const parts = { to, sequence: 2, branch: 'z9hG4bK-again' };
    const [ok] = exchange(makeInvite({ ...parts, body: 'hold' }));
    assert.deepEqual([ok?.status, ok?.body.toString(), ok?.get('to')], [200, 'again', to]);
    exchange(makeRequest('ACK', { ...parts, branch: 'z9hG4bK-again-ack' }));
    clock.advance(100_000);
    assert.deepEqual([flow.take(), events, calls.length], [[], ['acknowledged', 'reinvite hold'], 1]);
  });

  test('answers OPTIONS', () => {
    const { to } = running();
    assert.deepEqual(statuses(exchange(makeRequest('OPTIONS', { to, sequence: 2 }))), [200]);
  });

  test('refuses a request that is out of order', () => {
    const { to } = running({ sequence: 7 });
    const [response] = exchange(makeRequest('BYE', { to, sequence: 6 }));
    assert.deepEqual([response?.status, response?.reason, ends], [500, 'CSeq is out of order', []]);
  });
});

describe('an attack', () => {
  test('with a BYE of wrong tags ends nobody’s call', () => {
    const { to } = running();
    const wrong: RequestParts[] = [
      { to: '<sip:news@192.0.2.1>;tag=guessed' },
      { to, from: '<sip:ann@example.org>;tag=guessed' },
      { to, from: '<sip:ann@example.org>' },
      { to, callId: 'call-2' },
      { to: '<sip:news@192.0.2.1>' },
    ];
    for (const [index, parts] of wrong.entries()) {
      const [response] = exchange(makeRequest('BYE', { sequence: 2, branch: `z9hG4bK-${index}`, ...parts }));
      assert.equal(response?.status, 481);
      assert.ok(response.toTag);
    }
    assert.deepEqual(ends, []);
  });

  test('with an ACK of wrong tags confirms nobody’s address', () => {
    answered();
    const to = '<sip:news@192.0.2.1>;tag=guessed';
    assert.deepEqual(exchange(makeRequest('ACK', { to, branch: 'z9hG4bK-ack' })), []);
    assert.deepEqual(events, []);
  });

  test('with an impossible Via port or Record-Route does not throw', () => {
    const via = 'SIP/2.0/UDP 192.0.2.7:99999;branch=z9hG4bK1';
    assert.deepEqual(exchange(makeRequest('OPTIONS', { via })), []);
    const [response] = exchange(makeInvite({ headers: [['record-route', 'nonsense']] }));
    assert.deepEqual([response?.status, response?.reason, calls], [400, 'Bad Record-Route', []]);
  });

  test('with a flood of requests gets 503 from the one after 20,000, and nothing is kept', () => {
    endpoint = create({ transactionLimits: { total: 20_000 } });
    // A proxy on this machine speaks for many.
    flow = new FakeFlow(clock, 'udp', '127.0.0.1');
    const option = (n: number) => makeRequest('OPTIONS', { branch: `z9hG4bK-${n}` });
    for (let n = 0; n < 20_000; n++) endpoint.receive(flow, serialise(option(n)));
    assert.ok(flow.take().every(response => (response as Response).status === 200));
    const [response] = exchange(option(20_000));
    assert.deepEqual([response?.status, response?.get('retry-after')], [503, '10']);
    assert.equal(endpoint.sizes.serverTransactions, 20_000);
    // Retransmissions are still known, and an ACK is never answered.
    assert.deepEqual(statuses(exchange(option(5))), [200]);
    assert.deepEqual(exchange(makeRequest('ACK', { to: '<sip:a@b>;tag=x' })), []);
    clock.advance(32_000);
    assert.deepEqual(statuses(exchange(option(20_001))), [200]);
  });

  test('with half-open INVITEs leaves room for what is soon over', () => {
    endpoint = create({ transactionLimits: { open: 10, total: 100 } });
    flow = new FakeFlow(clock, 'udp', '127.0.0.1');
    const ask = (n: number) => exchange(makeRequest('OPTIONS', { branch: `z9hG4bK-o${n}` }))[0]?.status;
    const call = (n: number) => exchange(makeInvite({ branch: `z9hG4bK-i${n}`, callId: `call-${n}` }));
    for (let n = 0; n < 9; n++) assert.deepEqual(call(n), []);
    assert.equal(
      Array.from({ length: 91 }, (_, n) => ask(n)).every(status => status === 200),
      true,
    );
    assert.deepEqual([ask(91), endpoint.sizes.serverTransactions], [503, 100]);
    clock.advance(32_000);
    flow.take();
    assert.deepEqual([call(9), statuses(call(10))], [[], [503]]);
    // One that is answered makes room for another.
    calls[0]!.accept('answer');
    flow.take();
    assert.deepEqual(call(11), []);
  });
});

describe('CANCEL', () => {
  const cancel = (parts: RequestParts = {}) => makeRequest('CANCEL', { branch: 'z9hG4bK-invite', ...parts });

  test('of a ringing call is answered 200 and the INVITE 487', () => {
    exchange(makeInvite());
    const [ok, terminated] = exchange(cancel());
    assert.deepEqual([ok?.status, ok?.cseq?.method], [200, 'CANCEL']);
    assert.deepEqual([terminated?.status, terminated?.cseq?.method], [487, 'INVITE']);
    // §9.2: the same tag in both.
    assert.equal(ok?.toTag, terminated?.toTag);
    assert.deepEqual([events, endpoint.sizes.dialogs], [['cancelled'], 0]);
  });

  test('that comes again is answered by the same transaction', () => {
    exchange(makeInvite());
    const [first] = exchange(cancel());
    const [second, ...more] = exchange(cancel());
    assert.deepEqual([second?.headers, more], [first?.headers, []]);
    assert.equal(endpoint.sizes.serverTransactions, 2);
    clock.advance(100_000);
    assert.deepEqual([endpoint.sizes.serverTransactions, clock.pending], [0, 0]);
  });

  test('may require what it wants', () => {
    exchange(makeInvite());
    assert.deepEqual(statuses(exchange(cancel({ headers: [['require', 'magic']] }))), [200, 487]);
  });

  test('of an answered call is answered 200 and changes nothing', () => {
    const { to } = answered();
    const [ok, ...more] = exchange(cancel());
    assert.deepEqual([ok?.status, more, events], [200, [], []]);
    // §9.2: the same tag still.
    assert.equal(ok?.get('to'), to);
  });

  test('of nothing is answered 481', () => {
    const [response] = exchange(cancel());
    assert.equal(response?.status, 481);
    assert.ok(response.toTag);
  });

  test('with another branch than the INVITE is answered 481', () => {
    exchange(makeInvite());
    assert.deepEqual([statuses(exchange(cancel({ branch: 'z9hG4bK-x' }))), events], [[481], []]);
  });
});

describe('a connection that closes', () => {
  test('ends the call on it and no other after 64·T1', () => {
    const phone = new FakeFlow(clock, 'tcp');
    const other = new FakeFlow(clock, 'tcp');
    running({ callId: 'a', branch: 'z9hG4bK-a' }, phone);
    running({ callId: 'b', branch: 'z9hG4bK-b' }, other);
    phone.close();
    endpoint.closed(phone);
    clock.advance(32_000);
    assert.deepEqual(ends, [{ by: 'failure', reason: 'the connection was closed' }]);
    assert.equal(endpoint.sizes.dialogs, 1);
  });

  test('has a hang-up done at once', async () => {
    const phone = new FakeFlow(clock, 'tcp');
    const { call } = running({}, phone);
    phone.close();
    call.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
    await endpoint.settle(60_000);
    assert.deepEqual([ends.length, endpoint.sizes.clientTransactions], [1, 0]);
  });
});

test('our BYE that nobody answers is over after 64·T1', async () => {
  const { call } = running();
  call.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
  const settling = endpoint.settle(60_000);
  clock.advance(32_000);
  await settling;
  assert.deepEqual([endpoint.sizes.clientTransactions, ends.length], [0, 1]);
});

test('settling waits no longer than it may', async () => {
  const { call } = running();
  call.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
  const settling = endpoint.settle(1_000);
  clock.advance(1_000);
  await settling;
  assert.equal(endpoint.sizes.clientTransactions, 1);
});

test('closing ends every call without waiting and leaves no timer', () => {
  running();
  exchange(makeInvite({ callId: 'b', branch: 'z9hG4bK-b' }));
  endpoint.close();
  assert.deepEqual(ends, [
    { by: 'failure', reason: 'the server closes' },
    { by: 'failure', reason: 'the server closes' },
  ]);
  const { serverTransactions, dialogs } = endpoint.sizes;
  assert.deepEqual([serverTransactions, dialogs, clock.pending], [0, 0, 0]);
  // A WebSocket that closes may still bring something.
  flow.take();
  assert.deepEqual(statuses(exchange(makeInvite({ callId: 'c', branch: 'z9hG4bK-c' }))), [503]);
});

test('messages, retransmissions and faults are counted', () => {
  exchange(makeRequest('OPTIONS'));
  exchange(makeRequest('OPTIONS'));
  exchange(makeRequest('REGISTER', { headers: [['contact', '<sip:ann@192.0.2.7>']] }), new FakeFlow(clock, 'ws'));
  endpoint.receive(flow, Buffer.from('garbage'));
  endpoint.sent(flow, Buffer.from('whatever'));
  assert.deepEqual(endpoint.messages, [
    { direction: 'in', transport: 'udp', count: 3 },
    { direction: 'in', transport: 'ws', count: 1 },
    { direction: 'out', transport: 'udp', count: 1 },
  ]);
  const { scanErrors, registrations, retransmissions } = endpoint.sizes;
  assert.deepEqual([scanErrors, registrations, retransmissions], [1, 1, 1]);
});

test('a fault in serving a message costs that message alone', () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'error', destination: { write: line => void lines.push(line) } });
  const handlers = { invite: () => assert.fail('a mistake') };
  endpoint = new SignallingEndpoint({ clock, log, guests: true, handlers });
  exchange(makeInvite());
  assert.equal(endpoint.sizes.faults, 1);
  assert.match(lines.join(), /"message":"a mistake"/);
  assert.deepEqual(statuses(exchange(makeRequest('OPTIONS'))), [200]);
  endpoint.close();
});
