import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { redactText } from '../../observe/index.ts';
import { type Request, type Response, respond, scan, serialise } from '../message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from '../testing.ts';
import { Trace, type TraceLimits, type WireMessage } from './trace.ts';

const STARTED_AT_MS = 1_700_000_000_000;

let clock: FakeClock;
let flow: FakeFlow;
let trace: Trace;

function start(limits: Partial<TraceLimits> = {}): void {
  trace = new Trace({ clock, nowUnixMs: () => STARTED_AT_MS + clock.nowMs(), redact: redactText, limits });
}

beforeEach(() => {
  clock = new FakeClock();
  flow = new FakeFlow(clock);
  start();
});

const receive = (message: Request | Response) => trace.see('in', flow, serialise(message));
const send = (message: Request | Response) => trace.see('out', flow, serialise(message));

/** An INVITE that becomes a call; its id is its Call-ID's. */
function call(callId: string, body = 'offer'): void {
  const invite = makeInvite({ callId, body });
  receive(invite);
  trace.begin(`id-${callId}`, callId);
  send(respond(invite, 200, { toTag: 'ours' }));
}

/** A call that has ended. */
function past(callId: string): void {
  call(callId);
  trace.end(callId);
}

const lines = (callId: string) => trace.find(`id-${callId}`)?.messages.map(({ startLine }) => startLine) ?? null;
const orders = (callId: string) => trace.find(`id-${callId}`)?.messages.map(({ order }) => order) ?? null;

describe('the trace of a call', () => {
  test('has its messages with time, direction, ends and text, in their order', () => {
    const invite = makeInvite({ callId: 'a' });
    receive(invite);
    trace.begin('id-a', 'a');
    clock.advance(20);
    send(respond(invite, 100));
    const ends = { transport: 'udp', local: '192.0.2.1:5060', remote: '192.0.2.7:5062' };
    assert.deepEqual(trace.find('id-a'), {
      sipCallId: 'a',
      dropped: 0,
      messages: [
        {
          order: 1,
          atMs: STARTED_AT_MS,
          direction: 'in',
          ...ends,
          startLine: 'INVITE sip:news@192.0.2.1 SIP/2.0',
          text: serialise(invite).toString(),
        },
        {
          order: 2,
          atMs: STARTED_AT_MS + 20,
          direction: 'out',
          ...ends,
          startLine: 'SIP/2.0 100 Trying',
          text: serialise(respond(invite, 100)).toString(),
        },
      ],
    });
  });

  test('tells IPv6 ends as they stand in a URI', () => {
    flow = new FakeFlow(clock, 'tcp', '2001:db8::7');
    call('a');
    const [message] = trace.find('id-a')!.messages;
    assert.deepEqual([message?.transport, message?.remote], ['tcp', '[2001:db8::7]:5062']);
  });

  test('has no credentials', () => {
    receive(makeInvite({ callId: 'a', headers: [['authorization', 'Digest response="5ca1ab1e"']] }));
    trace.begin('id-a', 'a');
    assert.match(trace.find('id-a')!.messages[0]!.text, /\r\nAuthorization: \[redacted\]\r\n/);
  });

  test('begins with the INVITE that was asked for credentials', () => {
    const first = makeInvite({ callId: 'a', branch: 'z9hG4bK-1' });
    receive(first);
    send(respond(first, 401, { toTag: 'x' }));
    receive(makeRequest('ACK', { callId: 'a', branch: 'z9hG4bK-1' }));
    call('a');
    assert.deepEqual(lines('a'), [
      'INVITE sip:news@192.0.2.1 SIP/2.0',
      'SIP/2.0 401 Unauthorized',
      'ACK sip:news@192.0.2.1 SIP/2.0',
      'INVITE sip:news@192.0.2.1 SIP/2.0',
      'SIP/2.0 200 OK',
    ]);
  });

  test('is known after its end, with what came late, until its time is over', () => {
    past('a');
    send(makeRequest('BYE', { callId: 'a' }));
    clock.advance(3_599_999);
    assert.equal(lines('a')?.length, 3);
    clock.advance(1);
    assert.deepEqual([lines('a'), trace.bytes, clock.pending], [null, 0, 0]);
  });

  test('is forgotten at its own time, also when others ended later', () => {
    past('a');
    clock.advance(1_000);
    past('b');
    call('c');
    clock.advance(3_599_000);
    assert.deepEqual([lines('a'), lines('b')?.length], [null, 2]);
    clock.advance(1_000);
    assert.deepEqual([lines('b'), lines('c')?.length, clock.pending], [null, 2, 0]);
  });

  test('is found by the ids of both when a caller tries again with its Call-ID, and lives as long as the last', () => {
    past('a');
    call('a');
    trace.begin('again', 'a');
    clock.advance(4_000_000);
    assert.equal(trace.find('again')?.messages.length, 4);
    assert.deepEqual(trace.find('id-a'), trace.find('again'));
    trace.end('a');
    clock.advance(4_000_000);
    assert.equal(trace.find('again')?.messages.length, 4);
    trace.end('a');
    clock.advance(4_000_000);
    assert.equal(trace.find('again'), null);
  });

  test('gives each message on, also those that are of no call', () => {
    const seen: WireMessage[] = [];
    const onMessage = (message: WireMessage) => seen.push(message);
    trace = new Trace({ clock, nowUnixMs: () => 7, redact: redactText, onMessage });
    const bytes = serialise(makeRequest('REGISTER', { callId: 'r' }));
    trace.see('in', flow, bytes);
    trace.see('out', flow, Buffer.from('garbage'));
    assert.deepEqual(seen, [
      { atMs: 7, direction: 'in', flow, bytes, sipCallId: 'r' },
      { atMs: 7, direction: 'out', flow, bytes: Buffer.from('garbage'), sipCallId: null },
    ]);
  });
});

describe('the trace is bounded:', () => {
  test('of a message its beginning is kept', () => {
    start({ messageBytes: 1_000 });
    call('a', 'x'.repeat(5_000));
    const { length } = serialise(makeInvite({ callId: 'a', body: 'x'.repeat(5_000) }));
    const { text } = trace.find('id-a')!.messages[0]!;
    assert.match(text, new RegExp(`x\\[and ${length - 1_000} bytes more\\]$`));
    assert.ok(trace.bytes < 3_000);
  });

  test('of a call its first and its last messages are kept, and what was dropped is counted', () => {
    start({ callBytes: 8_192 });
    call('a');
    for (let sequence = 2; sequence < 100; sequence++) receive(makeRequest('INFO', { callId: 'a', sequence }));
    const kept = orders('a')!;
    const gapAt = kept.findIndex((order, index) => order !== index + 1);
    assert.ok(gapAt >= 4, `${kept}`);
    assert.deepEqual(
      kept.slice(gapAt),
      Array.from({ length: kept.length - gapAt }, (_, index) => 101 - kept.length + gapAt + index),
    );
    assert.ok(kept.length - gapAt >= 4, `${kept}`);
    assert.equal(trace.find('id-a')?.dropped, 100 - kept.length);
    assert.ok(trace.bytes <= 8_192 + 1_024, `${trace.bytes}`);
  });

  test('calls that ended make room for new ones, oldest first', () => {
    start({ calls: 3 });
    call('live');
    for (const callId of ['a', 'b', 'c']) past(callId);
    assert.deepEqual(
      ['live', 'a', 'b', 'c'].map(callId => lines(callId) !== null),
      [true, false, true, true],
    );
  });

  test('bytes of all calls together: those that ended make room, oldest first, and live ones do not', () => {
    start({ totalBytes: 10_000 });
    call('live');
    for (let n = 0; n < 100; n++) past(`${n}`);
    assert.ok(trace.bytes <= 10_000);
    assert.deepEqual([lines('live')?.length, lines('0'), lines('99')?.length], [2, null, 2]);
    for (let sequence = 2; sequence < 100; sequence++) receive(makeRequest('INFO', { callId: 'live', sequence }));
    assert.ok(trace.bytes <= 10_000);
    const { messages, dropped } = trace.find('id-live')!;
    assert.equal(messages.length + dropped, 100);
    assert.ok(messages.length > 5 && dropped > 50);
    assert.equal(lines('99'), null);
  });

  test('with live calls alone a new one is not kept, and its end changes nothing', () => {
    start({ calls: 2 });
    for (const callId of ['a', 'b', 'c']) call(callId);
    trace.end('c');
    trace.end('nobody');
    assert.deepEqual([lines('a')?.length, lines('b')?.length, lines('c')], [2, 2, null]);
    trace.end('a');
    trace.end('a');
    call('d');
    call('e');
    assert.deepEqual([lines('a'), lines('b')?.length, lines('d')?.length, lines('e')], [null, 2, 2, null]);
  });

  test('a late message of a call that had to go is not kept', () => {
    start({ totalBytes: 3_000 });
    past('a');
    receive(makeInvite({ callId: 'a', body: 'x'.repeat(2_000) }));
    assert.deepEqual([lines('a'), trace.bytes], [null, 0]);
  });

  test('a Call-ID counts as what it costs', () => {
    start({ totalBytes: 100_000 });
    for (let n = 0; n < 100; n++) past(`${n}${'x'.repeat(10_000)}`);
    assert.ok(trace.bytes <= 100_000);
    assert.equal(lines(`98${'x'.repeat(10_000)}`), null);
  });

  test('one Call-ID has few names', () => {
    for (let n = 0; n < 20; n++) trace.begin(`${n}`, 'a');
    assert.deepEqual([trace.find('7')?.sipCallId, trace.find('8')], ['a', null]);
  });
});

describe('attack:', () => {
  test('REGISTER, OPTIONS, responses and noise of strangers leave nothing', () => {
    for (let n = 0; n < 1_000; n++) {
      receive(makeRequest('REGISTER', { callId: `r${n}` }));
      receive(makeRequest('OPTIONS', { callId: `o${n}` }));
      receive(respond(makeRequest('INVITE', { callId: `i${n}` }), 200, { toTag: 'x' }));
      trace.see('in', flow, Buffer.from(`INVITE garbage ${n}`));
    }
    assert.equal(trace.bytes, 0);
  });

  test('INVITEs that become no call fill a small place, and push out no call', () => {
    call('live');
    past('past');
    for (let n = 0; n < 10_000; n++) {
      const invite = makeInvite({ callId: `flood-${n}` });
      receive(invite);
      send(respond(invite, 401, { toTag: 'x' }));
    }
    assert.ok(trace.bytes < 2 ** 20 + 10_000, `${trace.bytes}`);
    assert.deepEqual([lines('live')?.length, lines('past')?.length], [2, 2]);
  });

  test('an INVITE that was not let in long ago is not shown with a call of the same Call-ID', () => {
    receive(makeInvite({ callId: 'a' }));
    clock.advance(32_000);
    trace.begin('id-a', 'a');
    assert.deepEqual(lines('a'), []);
  });
});

test('to see a message costs less than to read it', () => {
  const messages = Array.from({ length: 1_000 }, (_, n) => {
    const invite = makeInvite({ callId: `${n}@192.0.2.7`, body: 'x'.repeat(500) });
    return [invite, respond(invite, 200, { toTag: 'ours' })].map(serialise);
  });
  /** The least of several rounds, which the rest of the machine disturbs least. */
  const leastMs = (round: () => void) =>
    Math.min(
      ...Array.from({ length: 20 }, () => {
        const startedAtMs = performance.now();
        round();
        return performance.now() - startedAtMs;
      }),
    );
  const readMs = leastMs(() => {
    for (const each of messages) for (const bytes of each) scan(bytes);
  });
  const seeMs = leastMs(() => {
    start();
    for (const [index, [invite, answer]] of messages.entries()) {
      trace.see('in', flow, invite!);
      trace.begin(`${index}`, `${index}@192.0.2.7`);
      trace.see('out', flow, answer!);
      trace.end(`${index}@192.0.2.7`);
    }
  });
  assert.ok(seeMs < readMs, `${seeMs} ms for what is read in ${readMs} ms`);
});
