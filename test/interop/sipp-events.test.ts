import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { runSipp } from './support/sipp.ts';
import { until } from './support/until.ts';

describe('SIPp, watching and taking over', { skip: missing('sipp') }, () => {
  let server: DialcastServer;

  before(async () => {
    server = await DialcastServer.start();
  });
  after(() => server?.stop());

  for (const [scenario, name, calls] of [
    ['presence', 'watches a channel, asks for longer and then no more', 20],
    // One, since the lamp shows the calls of all.
    ['busy-lamp', 'sees its lamp go on and off', 1],
    ['replaces', 'has another call take the place of its own', 20],
  ] as const) {
    for (const transport of ['udp', 'tcp'] as const) {
      test(`${name}, over ${transport.toUpperCase()}`, { timeout: 80_000 }, async () => {
        const port = server.ports[transport];
        const result = await runSipp({ scenario, transport, port, target: 'clock', calls, callsPerSecond: 50 });
        assert.equal(result.exitCode, 0, result.errors);
        assert.deepEqual([result.successful, result.failed], [calls, 0]);
      });
    }
  }

  test('leaves no call behind', async () => {
    await until('no viewer', async () => (await server.api<{ calls: unknown[] }>('/api/calls')).calls.length === 0);
  });
});
