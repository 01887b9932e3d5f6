import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '../../src/observe/index.ts';
import { type CallEnd, type IncomingCall, SignallingEndpoint, systemClock } from '../../src/signalling/index.ts';
import { missing } from './support/programs.ts';
import { runSipp, type SippResult } from './support/sipp.ts';
import { until } from './support/until.ts';

const CALLS = 10;
const ANSWER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n';

/** RFC 4028 allows no less than 90 s, for which nobody waits here. */
const SESSION_TIMER = { intervalSeconds: 24, minimumSeconds: 3 };

const EXPIRED: CallEnd = { by: 'failure', reason: 'the session was not refreshed' };
const HUNG_UP: CallEnd = { by: 'peer', cause: null };

const SCENARIOS: readonly [scenario: string, name: string, end: CallEnd][] = [
  ['expiry', 'does not refresh its session as promised, and gets a BYE', EXPIRED],
  ['no-refresh', 'does not answer our refresh, and gets a BYE', EXPIRED],
  ['vanish', 'does not refresh its session and is gone: the call ends all the same', EXPIRED],
  ['glare', 'invites again while we do: both are told to wait, and both come again', HUNG_UP],
];
const TRANSPORTS = ['udp', 'tcp'] as const;

describe('SIPp, with short sessions,', { skip: missing('sipp') }, () => {
  let endpoint: SignallingEndpoint;
  let run: (scenario: string, transport: (typeof TRANSPORTS)[number]) => Promise<SippResult>;
  /** By the target of the call. */
  const ends = new Map<string, CallEnd[]>();
  /** We invite again after half of the interval, and that beside the other tests. */
  const glaring = new Map<string, Promise<SippResult>>();

  const answer = (call: IncomingCall): void => {
    call.handlers = {
      acknowledged: () => undefined,
      answered: () => undefined,
      cancelled: () => undefined,
      reinvite: ({ accept }) => accept(ANSWER),
      ended: end => ends.set(call.target, [...(ends.get(call.target) ?? []), end]),
    };
    call.accept(ANSWER);
  };

  before(async () => {
    endpoint = new SignallingEndpoint({
      clock: systemClock,
      log: createLogger({ level: 'silent' }),
      guests: true,
      sessionTimer: SESSION_TIMER,
      handlers: { invite: answer },
    });
    const ports = await endpoint.listen({ addresses: ['127.0.0.1'], udp: 0, tcp: 0, tls: null });
    run = (scenario, transport) => {
      const load = { target: `${scenario}-${transport}`, calls: CALLS, callsPerSecond: 50 };
      return runSipp({ scenario, transport, port: ports[transport]!, ...load });
    };
    for (const transport of TRANSPORTS) glaring.set(transport, run('glare', transport));
  });
  after(() => endpoint?.close());

  for (const [scenario, name, end] of SCENARIOS) {
    for (const transport of TRANSPORTS) {
      test(`${name}, over ${transport.toUpperCase()}`, { timeout: 80_000 }, async () => {
        const running = scenario === 'glare' ? glaring.get(transport)! : run(scenario, transport);
        const { exitCode, errors, successful, failed } = await running;
        assert.equal(exitCode, 0, errors);
        assert.deepEqual([successful, failed], [CALLS, 0]);
        const seen = await until('the end of every call', () => {
          const those = ends.get(`${scenario}-${transport}`) ?? [];
          return those.length >= CALLS && those;
        });
        assert.deepEqual(seen, Array(CALLS).fill(end));
      });
    }
  }

  test('leaves no session behind', () => {
    assert.equal(endpoint.sizes.dialogs, 0);
  });
});
