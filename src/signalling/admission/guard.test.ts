import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../../observe/index.ts';
import { respond } from '../message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from '../testing.ts';
import { GUARD_LIMITS, Guard, type Hearing } from './guard.ts';

const PROXY = '192.0.2.3';

let clock: FakeClock;
let guard: Guard;
let lines: string[];
beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  const log = createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const isTrusted = (address: string) => address === PROXY;
  guard = new Guard({ clock, log, isTrusted, limits: { ...GUARD_LIMITS, requests: { ratePerSecond: 1, burst: 2 } } });
});

const hear = (transport: 'udp' | 'tcp', times: number, address?: string, expected = false): Hearing[] => {
  const flow = new FakeFlow(clock, transport, address);
  return Array.from({ length: times }, () => guard.hear(flow, expected));
};

/** A call of somebody who is not there, up to the ACK to our refusal. */
function probe(target: string, { status = 404, tag = 'ours', flow = new FakeFlow(clock) } = {}): void {
  const invite = makeInvite({ uri: `sip:${target}@192.0.2.1` });
  const refusal = respond(invite, status, { toTag: 'ours' });
  guard.acknowledged(invite, refusal, makeRequest('ACK', { to: `<sip:x@y>;tag=${tag}` }), flow);
}

const probes = (options: Parameters<typeof probe>[1] = {}) => {
  for (let n = 0; n < 20; n++) probe(`user${n}`, options);
};

describe('a source that asks too often', () => {
  test('is not answered over UDP, and told to come back over a connection', () => {
    assert.deepEqual(hear('udp', 3), ['serve', 'serve', 'silence']);
    // What is sent over UDP in somebody's name costs his connections nothing.
    assert.deepEqual(hear('tcp', 3), ['serve', 'serve', 'busy']);
    assert.deepEqual(hear('udp', 1, '192.0.2.8'), ['serve']);
    assert.deepEqual(guard.counts, { overRate: 2, banned: 0, bans: 0 });
    clock.advance(1_000);
    assert.deepEqual(hear('udp', 2), ['serve', 'silence']);
  });

  test('is limited in its calls as well, but apart', () => {
    hear('udp', 3);
    assert.deepEqual(hear('udp', 3, undefined, true), ['serve', 'serve', 'silence']);
  });

  test('is one source with all of its /64', () => {
    assert.deepEqual(hear('udp', 2, '2001:db8::1'), ['serve', 'serve']);
    assert.deepEqual(hear('udp', 1, '2001:db8::2'), ['silence']);
    assert.deepEqual(hear('udp', 1, '2001:db8:0:1::1'), ['serve']);
  });

  test('may be this machine, or a proxy of ours', () => {
    assert.ok(hear('udp', 5_000, PROXY).every(hearing => hearing === 'serve'));
    assert.ok(hear('udp', 5_000, '127.0.0.1').every(hearing => hearing === 'serve'));
    assert.ok(hear('udp', 5_000, '::1').every(hearing => hearing === 'serve'));
  });
});

describe('a source that looks for users', () => {
  test('is banned by the twentieth that is not there, for half a minute, and it is logged', () => {
    probes();
    assert.deepEqual([hear('udp', 1), hear('tcp', 1)], [['silence'], ['silence']]);
    // Its running calls can be ended.
    assert.deepEqual(hear('udp', 1, undefined, true), ['serve']);
    clock.advance(29_999);
    assert.deepEqual(hear('udp', 1), ['silence']);
    clock.advance(1);
    assert.deepEqual(hear('udp', 1), ['serve']);
    assert.deepEqual(guard.counts, { overRate: 0, banned: 3, bans: 1 });
    assert.deepEqual(
      lines.map(line => JSON.parse(line)).map(({ msg, source, seconds }) => [msg, source, seconds]),
      [['a source is banned', '192.0.2.7', 30]],
    );
  });

  for (const [name, act] of [
    ['looks for the same one again and again', () => Array.from({ length: 50 }, () => probe('nobody'))],
    ['is refused for another reason', () => probes({ status: 488 })],
    ['never saw our answer', () => probes({ tag: 'guessed' })],
    ['is a proxy of ours', () => probes({ flow: new FakeFlow(clock, 'udp', PROXY) })],
    ['is this machine', () => probes({ flow: new FakeFlow(clock, 'udp', '127.0.0.1') })],
  ] as const) {
    test(`is not banned when it ${name}`, () => {
      act();
      assert.equal(guard.counts.bans, 0);
    });
  }
});

test('a source whose passwords are wrong is banned by the twentieth, a proxy of ours is not', () => {
  const flow = new FakeFlow(clock);
  const proxy = new FakeFlow(clock, 'udp', PROXY);
  for (let n = 0; n < 19; n++) guard.failed(flow);
  assert.deepEqual(hear('udp', 1), ['serve']);
  guard.failed(flow);
  assert.deepEqual(hear('udp', 1), ['silence']);
  for (let n = 0; n < 100; n++) guard.failed(proxy);
  assert.deepEqual([hear('udp', 1, PROXY), guard.counts.bans], [['serve'], 1]);
});
