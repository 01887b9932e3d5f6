import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '../../src/observe/index.ts';
import { SignallingEndpoint, systemClock } from '../../src/signalling/index.ts';
import { memoryCredentials } from '../../src/signalling/testing.ts';
import { missing } from './support/programs.ts';
import { runSipp } from './support/sipp.ts';

const ANSWER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n';
const USERS = Array.from({ length: 5_000 }, (_, n) => `user${n}`);
const PASSWORD = 'secret';

describe('SIPp, whose calls have accounts,', { skip: missing('sipp') }, () => {
  let endpoint: SignallingEndpoint;
  let port: number;
  let answered = 0;

  before(async () => {
    endpoint = new SignallingEndpoint({
      clock: systemClock,
      log: createLogger({ level: 'silent' }),
      guests: false,
      authentication: {
        realm: 'example.org',
        // SIPp knows no other, and gives up when the first challenge has one.
        algorithms: ['MD5'],
        credentials: memoryCredentials(Object.fromEntries(USERS.map(user => [user, PASSWORD]))),
      },
      handlers: {
        invite: call => {
          answered++;
          call.accept(ANSWER);
        },
      },
    });
    const { udp } = await endpoint.listen({ addresses: ['127.0.0.1'], udp: 0, tcp: null, tls: null });
    port = udp!;
  });
  after(() => endpoint?.close());

  const run = async (scenario: string, target: string, calls: number, callsPerSecond: number) => {
    const host = `127.0.0.1:${port}`;
    const accounts = { users: USERS, password: PASSWORD, uri: target === '' ? host : `${target}@${host}` };
    const options = { scenario, port, transport: 'udp', target, calls, callsPerSecond, accounts } as const;
    const { exitCode, errors, successful, failed } = await runSipp(options);
    assert.equal(exitCode, 0, errors);
    assert.deepEqual([successful, failed], [calls, 0]);
  };

  test(`registers ${USERS.length} users`, { timeout: 80_000 }, async () => {
    await run('digest-register', '', USERS.length, 1_000);
    assert.equal(endpoint.sizes.registrations, USERS.length);
  });

  test('makes 500 calls', { timeout: 80_000 }, async () => {
    await run('digest-call', 'news', 500, 200);
    assert.deepEqual([answered, endpoint.sizes.dialogs], [500, 0]);
  });
});
