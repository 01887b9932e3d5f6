import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { respond } from '../message/index.ts';
import { FakeClock, FakeFlow, makeRequest } from '../testing.ts';
import { ServerTransaction } from './index.ts';

type Step = readonly [atMs: number, happens: 'request' | 'ack' | number];

interface Run {
  /** Everything that is sent, and when. */
  readonly sent: string[];
  /** Moments at which its user hears of an ACK, of a time-out, and at which it is over. */
  readonly reports: number[];
  readonly timeOuts: number[];
  readonly terminatedAtMs: number | null;
  readonly retransmissions: number;
  /** Timers that run when the script is over, and when everything is. */
  readonly timersRunning: number;
  readonly timersLeft: number;
}

/** Lets a transaction live through a script: a number is the status with which its user responds. */
function run(method: string, transport: 'udp' | 'tcp', script: readonly Step[], untilMs = 100_000): Run {
  const clock = new FakeClock();
  const flow = new FakeFlow(clock, transport);
  const request = makeRequest(method);
  const reports: number[] = [];
  const timeOuts: number[] = [];
  let terminatedAtMs: number | null = null;
  let retransmissions = 0;
  const transaction = new ServerTransaction({
    request,
    flow,
    clock,
    user: { report: () => reports.push(clock.nowMs()), timeOut: () => timeOuts.push(clock.nowMs()) },
    onTerminated: () => {
      assert.equal(terminatedAtMs, null, 'over once');
      terminatedAtMs = clock.nowMs();
    },
    onRetransmission: () => retransmissions++,
  });
  for (const [atMs, happens] of script) {
    clock.advanceTo(atMs);
    if (happens === 'request') transaction.receive(request);
    else if (happens === 'ack') transaction.receive(makeRequest('ACK'));
    else transaction.respond(respond(request, happens));
  }
  const timersRunning = clock.pending;
  clock.advanceTo(untilMs);
  const timersLeft = clock.pending;
  return { sent: flow.timeline, reports, timeOuts, terminatedAtMs, retransmissions, timersRunning, timersLeft };
}

/** Timer G: 500 ms, doubled up to T2, until timer H ends it at 32 s. */
const G_MOMENTS = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

describe('an INVITE server transaction', () => {
  const cases: readonly [name: string, transport: 'udp' | 'tcp', script: readonly Step[], expected: Partial<Run>][] = [
    [
      'answers a retransmission with the last provisional response',
      'udp',
      [
        [0, 100],
        [400, 'request'],
        [600, 180],
        [900, 'request'],
      ],
      { sent: ['0 100', '400 100', '600 180', '900 180'], terminatedAtMs: null, retransmissions: 2 },
    ],
    [
      'says 100 when its user has said nothing for 200 ms, and absorbs a retransmission before that',
      'udp',
      [
        [100, 'request'],
        [300, 'request'],
      ],
      { sent: ['200 100', '300 100'], retransmissions: 1, terminatedAtMs: null },
    ],
    ['says 100 on a reliable transport, too', 'tcp', [], { sent: ['200 100'] }],
    [
      'says no 100 when its user was quick to say something else',
      'udp',
      [
        [199, 180],
        [400, 'request'],
      ],
      { sent: ['199 180', '400 180'] },
    ],
    ['says no 100 when it was answered in time', 'tcp', [[199, 200]], { sent: ['199 200'] }],
    ['says no 100 when it was refused in time', 'tcp', [[199, 486]], { sent: ['199 486'] }],
    [
      'sends a refusal again at timer G and gives up at timer H',
      'udp',
      [[0, 486]],
      {
        sent: ['0 486', ...G_MOMENTS.map(atMs => `${atMs} 486`)],
        timeOuts: [32_000],
        terminatedAtMs: 32_000,
        retransmissions: G_MOMENTS.length,
      },
    ],
    [
      'sends a refusal once on a reliable transport, where timer H still ends it',
      'tcp',
      [[0, 486]],
      { sent: ['0 486'], timeOuts: [32_000], terminatedAtMs: 32_000 },
    ],
    [
      'answers a retransmission with its refusal',
      'tcp',
      [
        [0, 486],
        [100, 'request'],
      ],
      { sent: ['0 486', '100 486'] },
    ],
    [
      'stops at the ACK and absorbs what is late until timer I',
      'udp',
      [
        [0, 486],
        [600, 'ack'],
        [700, 'ack'],
        [800, 'request'],
      ],
      { sent: ['0 486', '500 486'], reports: [], timeOuts: [], terminatedAtMs: 5_600, timersRunning: 1 },
    ],
    [
      'is over at the ACK on a reliable transport (timer I is 0)',
      'tcp',
      [
        [0, 486],
        [600, 'ack'],
      ],
      { sent: ['0 486'], timeOuts: [], terminatedAtMs: 600 },
    ],
    [
      'hands ACKs of a 2xx to its user, absorbs retransmissions and ends at timer L (RFC 6026)',
      'udp',
      [
        [0, 200],
        [300, 'request'],
        [500, 200],
        [700, 'ack'],
        [900, 'ack'],
      ],
      { sent: ['0 200', '500 200'], reports: [700, 900], timeOuts: [], terminatedAtMs: 32_000 },
    ],
    [
      'lasts until timer L on a reliable transport, too',
      'tcp',
      [[10, 200]],
      { sent: ['10 200'], terminatedAtMs: 32_010 },
    ],
    [
      'sends nothing that comes after its final response',
      'udp',
      [
        [0, 486],
        [10, 180],
        [20, 200],
        [30, 404],
        [40, 'ack'],
        [50, 200],
      ],
      { sent: ['0 486'] },
    ],
  ];
  for (const [name, transport, script, expected] of cases) {
    test(name, () => {
      const result = run('INVITE', transport, script);
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(result[key as keyof Run], value, key);
      assert.equal(result.timersLeft, 0);
    });
  }
});

describe('a non-INVITE server transaction', () => {
  const cases: readonly [name: string, transport: 'udp' | 'tcp', script: readonly Step[], expected: Partial<Run>][] = [
    ['says nothing to a retransmission before its user did', 'udp', [[100, 'request']], { sent: [] }],
    [
      'answers a retransmission with the last response and ends at timer J',
      'udp',
      [
        [0, 100],
        [400, 182],
        [500, 'request'],
        [800, 200],
        [1_500, 'request'],
        [32_799, 'request'],
        [32_800, 'request'],
      ],
      {
        sent: ['0 100', '400 182', '500 182', '800 200', '1500 200', '32799 200'],
        terminatedAtMs: 32_800,
        retransmissions: 3,
        timeOuts: [],
      },
    ],
    ['ends at a refusal as well', 'udp', [[0, 481]], { sent: ['0 481'], terminatedAtMs: 32_000 }],
    [
      'ends a refusal after a provisional response',
      'udp',
      [
        [0, 100],
        [100, 404],
      ],
      { sent: ['0 100', '100 404'], terminatedAtMs: 32_100 },
    ],
    [
      'is over with its final response on a reliable transport',
      'tcp',
      [[70, 200]],
      { sent: ['70 200'], terminatedAtMs: 70 },
    ],
    [
      'sends no second final response',
      'udp',
      [
        [0, 200],
        [10, 500],
        [20, 100],
      ],
      { sent: ['0 200'] },
    ],
  ];
  for (const [name, transport, script, expected] of cases) {
    test(name, () => {
      const result = run('OPTIONS', transport, script);
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(result[key as keyof Run], value, key);
      assert.equal(result.timersLeft, 0);
    });
  }
});

describe('a transaction forgets its request', () => {
  const acknowledgement = makeRequest('ACK');
  for (const [name, method, steps, isSettled] of [
    ['not before it is answered', 'INVITE', [180], false],
    ['when its INVITE is accepted', 'INVITE', [180, 200], true],
    ['not when its INVITE is refused: the ACK is to come', 'INVITE', [404], false],
    ['when the refusal of its INVITE is acknowledged', 'INVITE', [404, 'ack', 'ack'], true],
    ['when it is answered', 'OPTIONS', [200], true],
    ['when it is refused', 'OPTIONS', [481], true],
  ] as const) {
    test(name, () => {
      const clock = new FakeClock();
      const request = makeRequest(method);
      let settled = 0;
      const transaction = new ServerTransaction({
        request,
        flow: new FakeFlow(clock),
        clock,
        user: { report: () => undefined, timeOut: () => undefined },
        onSettled: () => settled++,
        onTerminated: () => undefined,
        onRetransmission: () => undefined,
      });
      for (const step of steps) {
        if (step === 'ack') transaction.receive(acknowledgement);
        else transaction.respond(respond(request, step));
      }
      assert.deepEqual([transaction.isSettled, settled], [isSettled, isSettled ? 1 : 0]);
      if (!isSettled) return assert.equal(transaction.request, request);
      assert.throws(() => transaction.request);
      assert.equal(transaction.refusal, null);
    });
  }

  test('but its refusal of an INVITE is at hand until then, and is the first', () => {
    const clock = new FakeClock();
    const request = makeRequest('INVITE');
    const silent = { report: () => undefined, timeOut: () => undefined };
    const rest = { user: silent, onTerminated: () => undefined, onRetransmission: () => undefined };
    const transaction = new ServerTransaction({ request, flow: new FakeFlow(clock), clock, ...rest });
    const refusal = respond(request, 404);
    transaction.respond(refusal);
    transaction.respond(respond(request, 486));
    assert.equal(transaction.refusal, refusal);
  });
});

test('a transaction that is terminated from outside leaves no timer and sends nothing more', () => {
  const clock = new FakeClock();
  const flow = new FakeFlow(clock);
  let terminated = 0;
  const user = { report: () => assert.fail(), timeOut: () => assert.fail() };
  const options = { request: makeRequest('INVITE'), flow, clock, user, onRetransmission: () => undefined };
  const transaction = new ServerTransaction({ ...options, onTerminated: () => terminated++ });
  transaction.respond(respond(transaction.request, 486));
  transaction.terminate();
  assert.equal(clock.pending, 0);
  transaction.receive(transaction.request);
  transaction.respond(respond(transaction.request, 487));
  clock.advance(100_000);
  assert.deepEqual([flow.timeline, terminated, transaction.state], [['0 486'], 1, 'terminated']);
});
