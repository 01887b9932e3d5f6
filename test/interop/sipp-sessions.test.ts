import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Certificates } from '../support/certificates.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { runSipp, type SippResult } from './support/sipp.ts';
import { until } from './support/until.ts';

const CALLS = 20;
const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;

describe('SIPp, within a session', { skip: missing('sipp', 'mkfifo', 'openssl') }, () => {
  const certificates = new Certificates();
  let authority: string;
  let folder: string;
  let server: DialcastServer;
  /** Half of the shortest interval that may be asked for is 45 s: this runs beside the other tests. */
  let refreshing: Promise<SippResult>;

  const run = (scenario: string, transport: (typeof TRANSPORTS)[number], calls = CALLS, target = 'clock') =>
    runSipp({ scenario, transport, port: server.ports[transport], authority, target, calls, callsPerSecond: 50 });
  const wentWell = ({ exitCode, successful, failed, errors }: SippResult, calls = CALLS) => {
    assert.equal(exitCode, 0, errors);
    assert.deepEqual([successful, failed], [calls, 0]);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-fifo-'));
    // Opening a pipe waits until somebody writes into it.
    const fifo = join(folder, 'silent.mp4');
    execFileSync('mkfifo', [fifo]);
    const channels = [
      { number: 101, name: 'clock', title: 'Clock', source: 'testcard:' },
      { number: 102, name: 'silent', source: `file:${fifo}` },
    ];
    authority = certificates.authority();
    const tls = { port: 0, ...certificates.issue('tv', ['127.0.0.1'], 'authority') };
    server = await DialcastServer.start({ channels, sip: { udp: 0, tcp: 0, tls } });
    refreshing = run('refresh', 'udp', 5);
  });
  after(async () => {
    await server?.stop();
    certificates.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [scenario, name, { calls = CALLS, target = 'clock' } = {}] of [
    ['session-timer', 'refreshes its session with UPDATE, holds and resumes with it'],
    ['delayed-offer', 'leaves the offer to us, answers in the ACK and holds in the same way'],
    ['no-answer', 'has no answer in its ACK to our offer, and gets a BYE'],
    ['text', 'writes texts and sends INFO'],
    // Few, so that the late ACK still comes before the 200 would be sent again.
    ['overlap', 'is told to wait with a second offer while the first is not acknowledged', { calls: 5 }],
    ['prack', 'acknowledges that it rings', { target: 'silent' }],
    ['cancel-late', 'cancels what is answered already: the call stands'],
    ['cancel-unknown', 'cancels what was never there'],
    ['merged', 'has its INVITE come by three ways: it is one call'],
  ] as readonly [scenario: string, name: string, load?: { calls?: number; target?: string }][]) {
    for (const transport of TRANSPORTS) {
      test(`${name}, over ${transport.toUpperCase()}`, { timeout: 80_000 }, async () => {
        wentWell(await run(scenario, transport, calls, target), calls);
      });
    }
  }

  test('answers our refresh', { timeout: 80_000 }, async () => {
    wentWell(await refreshing, 5);
  });

  test('leaves no call behind', async () => {
    await until('no viewer', async () => (await server.api<{ calls: unknown[] }>('/api/calls')).calls.length === 0);
  });
});
