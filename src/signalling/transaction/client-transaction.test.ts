import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Request, Response, respond } from '../message/index.ts';
import { FakeClock, FakeFlow, makeRequest } from '../testing.ts';
import { ClientTransaction } from './index.ts';

type Step = readonly [atMs: number, status: number];

interface Run {
  /** Everything that is sent, and when. */
  readonly sent: string[];
  /** What its user hears: `100 180`. */
  readonly reports: string[];
  readonly timeOuts: number[];
  readonly terminatedAtMs: number | null;
  readonly retransmissions: number;
  /** Timers that run after the last response. */
  readonly timersRunning: number;
}

/** Lets a transaction live through the responses that come, to its end. */
function run(method: string, transport: 'udp' | 'tcp', script: readonly Step[]): Run & { last: Request } {
  const clock = new FakeClock();
  const flow = new FakeFlow(clock, transport);
  const request = makeRequest(method, {
    via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/UDP other',
    headers: [['route', '<sip:p;lr>']],
  });
  const reports: string[] = [];
  const timeOuts: number[] = [];
  let terminatedAtMs: number | null = null;
  let retransmissions = 0;
  const transaction = new ClientTransaction({
    request,
    flow,
    clock,
    user: {
      report: message => {
        assert.ok(message instanceof Response);
        reports.push(`${clock.nowMs()} ${message.status}`);
      },
      timeOut: () => timeOuts.push(clock.nowMs()),
    },
    onTerminated: () => {
      assert.equal(terminatedAtMs, null, 'over once');
      terminatedAtMs = clock.nowMs();
    },
    onRetransmission: () => retransmissions++,
  });
  for (const [atMs, status] of script) {
    clock.advanceTo(atMs);
    transaction.receive(respond(request, status, { toTag: 'theirs' }));
  }
  const timersRunning = clock.pending;
  clock.advance(200_000);
  assert.equal(clock.pending, 0);
  const last = flow.take().at(-1) as Request;
  return { sent: flow.timeline, reports, timeOuts, terminatedAtMs, retransmissions, timersRunning, last };
}

const at = (method: string, moments: readonly number[]) => moments.map(atMs => `${atMs} ${method}`);
/** Timer A doubles without end; timer E up to T2. */
const A_MOMENTS = [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500];
const E_MOMENTS = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

type Case = readonly [name: string, transport: 'udp' | 'tcp', script: readonly Step[], expected: Partial<Run>];

function check(method: string, cases: readonly Case[]): void {
  for (const [name, transport, script, expected] of cases) {
    test(name, () => {
      const result = run(method, transport, script);
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(result[key as keyof Run], value, key);
    });
  }
}

describe('an INVITE client transaction', () => {
  check('INVITE', [
    [
      'sends its request again at timer A and gives up at timer B',
      'udp',
      [],
      { sent: at('INVITE', A_MOMENTS), timeOuts: [32_000], terminatedAtMs: 32_000, retransmissions: 6 },
    ],
    [
      'sends its request once on a reliable transport',
      'tcp',
      [],
      { sent: ['0 INVITE'], timeOuts: [32_000], terminatedAtMs: 32_000 },
    ],
    [
      'waits without end once a provisional response came',
      'udp',
      [
        [600, 100],
        [90_000, 180],
      ],
      { sent: ['0 INVITE', '500 INVITE'], reports: ['600 100', '90000 180'], timeOuts: [], terminatedAtMs: null },
    ],
    [
      'acknowledges a refusal, also when it comes again, and ends at timer D',
      'udp',
      [
        [100, 180],
        [200, 486],
        [700, 486],
        [32_199, 486],
        [32_201, 486],
      ],
      {
        sent: ['0 INVITE', '200 ACK', '700 ACK', '32199 ACK'],
        reports: ['100 180', '200 486'],
        terminatedAtMs: 32_200,
      },
    ],
    [
      'acknowledges a refusal that comes first',
      'udp',
      [[499, 404]],
      { sent: ['0 INVITE', '499 ACK'], reports: ['499 404'], terminatedAtMs: 32_499 },
    ],
    [
      'is over at a refusal on a reliable transport (timer D is 0)',
      'tcp',
      [[100, 486]],
      { sent: ['0 INVITE', '100 ACK'], terminatedAtMs: 100 },
    ],
    [
      'reports each 2xx, leaves the ACK to its user and ends at timer M (RFC 6026)',
      'udp',
      [
        [100, 200],
        [600, 200],
        [700, 486],
      ],
      { sent: ['0 INVITE'], reports: ['100 200', '600 200'], timeOuts: [], terminatedAtMs: 32_100 },
    ],
    [
      'ends at timer M on a reliable transport, too',
      'tcp',
      [
        [50, 180],
        [100, 200],
      ],
      { reports: ['50 180', '100 200'], terminatedAtMs: 32_100 },
    ],
  ]);

  test('makes the ACK of its request and of the To of the refusal (§17.1.1.3)', () => {
    const { last } = run('INVITE', 'udp', [[0, 486]]);
    assert.deepEqual([last.method, last.uri, last.body.length], ['ACK', 'sip:news@192.0.2.1', 0]);
    assert.deepEqual(last.headers, [
      ['via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['from', '"Ann" <sip:ann@example.org>;tag=ann'],
      ['to', '<sip:news@192.0.2.1>;tag=theirs'],
      ['call-id', 'call-1'],
      ['cseq', '1 ACK'],
      ['max-forwards', '70'],
      ['route', '<sip:p;lr>'],
      ['content-length', '0'],
    ]);
  });
});

describe('a non-INVITE client transaction', () => {
  check('BYE', [
    [
      'sends its request again at timer E and gives up at timer F',
      'udp',
      [],
      { sent: at('BYE', E_MOMENTS), timeOuts: [32_000], terminatedAtMs: 32_000, retransmissions: 10 },
    ],
    [
      'sends its request once on a reliable transport',
      'tcp',
      [],
      { sent: ['0 BYE'], timeOuts: [32_000], terminatedAtMs: 32_000 },
    ],
    [
      'sends its request every T2 after a provisional response, and still gives up at timer F',
      'udp',
      [[600, 100]],
      {
        sent: at('BYE', [0, 500, 1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500]),
        reports: ['600 100'],
        timeOuts: [32_000],
        terminatedAtMs: 32_000,
      },
    ],
    [
      'reports one final response and absorbs others until timer K',
      'udp',
      [
        [600, 200],
        [1_000, 200],
        [1_100, 481],
        [5_599, 100],
      ],
      { sent: at('BYE', [0, 500]), reports: ['600 200'], timeOuts: [], terminatedAtMs: 5_600 },
    ],
    [
      'reports a refusal after a provisional response',
      'udp',
      [
        [10, 100],
        [20, 481],
      ],
      { sent: ['0 BYE'], reports: ['10 100', '20 481'], terminatedAtMs: 5_020 },
    ],
    [
      'reports a success after a provisional response',
      'udp',
      [
        [10, 100],
        [15, 182],
        [20, 200],
      ],
      { sent: ['0 BYE'], reports: ['10 100', '15 182', '20 200'], terminatedAtMs: 5_020 },
    ],
    [
      'is over at its final response on a reliable transport (timer K is 0)',
      'tcp',
      [[100, 481]],
      { reports: ['100 481'], terminatedAtMs: 100 },
    ],
  ]);
});

describe('timers that have no more to do are stopped', () => {
  for (const [method, statuses, left] of [
    ['INVITE', [], 'A and B'],
    ['INVITE', [180], 'none'],
    ['INVITE', [200], 'M'],
    ['INVITE', [404], 'D'],
    ['INVITE', [180, 200], 'M'],
    ['INVITE', [180, 404], 'D'],
    ['BYE', [100], 'E and F'],
    ['BYE', [200], 'K'],
    ['BYE', [481], 'K'],
    ['BYE', [100, 200], 'K'],
    ['BYE', [100, 481], 'K'],
  ] as const) {
    test(`of ${method} after ${statuses.join(' and ') || 'nothing'} there is left: ${left}`, () => {
      const script = statuses.map((status): Step => [0, status]);
      const count = left === 'none' ? 0 : left.split(' and ').length;
      assert.equal(run(method, 'udp', script).timersRunning, count);
    });
  }
});
