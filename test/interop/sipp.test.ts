import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Certificates } from '../support/certificates.ts';
import { type Footprint, measureFootprint } from './support/footprint.ts';
import { INSPECTED } from './support/inspector.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { runSipp, type SippOptions, type SippResult } from './support/sipp.ts';
import { until } from './support/until.ts';

/** A transaction over UDP is kept this long for messages that come again (RFC 3261 timer J, RFC 6026 timer L). */
const TRANSACTION_MS = 32_000;

/** Transcoders linger for 10 s. */
const SETTLE_TIMEOUT_MS = 60_000;

/** Node itself compiles and keeps things during the first calls, about 1 MB; 3 KB that stay of each call would be seen. */
const HEAP_SLACK_BYTES = 2 * 2 ** 20;

const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;

describe('SIPp', { skip: missing('sipp', 'mkfifo', 'openssl') }, () => {
  const certificates = new Certificates();
  let authority: string;
  let folder: string;
  let server: DialcastServer;
  let footprint: Footprint;
  let called = 0;
  let lastCalledAtMs = 0;

  const run = async (options: Omit<SippOptions, 'port' | 'authority'>): Promise<SippResult> => {
    const result = await runSipp({ ...options, port: server.ports[options.transport], authority });
    called += options.calls;
    lastCalledAtMs = performance.now();
    assert.equal(result.exitCode, 0, result.errors);
    assert.deepEqual([result.successful, result.failed], [options.calls, 0]);
    return result;
  };
  const ended = (outcome: string) => server.metric('dialcast_calls_total', { outcome });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-fifo-'));
    const fifo = join(folder, 'silent.mp4');
    execFileSync('mkfifo', [fifo]);
    const channels = [
      { number: 101, name: 'clock', title: 'Clock', source: 'testcard:' },
      // Opening a pipe waits until somebody writes into it.
      { number: 102, name: 'silent', source: `file:${fifo}` },
    ];
    authority = certificates.authority();
    const tls = { port: 0, ...certificates.issue('tv', ['127.0.0.1'], 'authority') };
    server = await DialcastServer.start({ channels, sip: { udp: 0, tcp: 0, tls } }, INSPECTED);
    for (const transport of TRANSPORTS) {
      await run({ scenario: 'call', transport, target: 'clock', calls: 1, callsPerSecond: 10 });
    }
    footprint = await until(
      'a quiet server',
      async () => {
        const now = await measureFootprint(server);
        return now.transcoders === 0 && now.viewers === 0 && now;
      },
      SETTLE_TIMEOUT_MS,
    );
  });
  after(async () => {
    await server?.stop();
    certificates.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const transport of TRANSPORTS) {
    test(`makes 200 calls over ${transport.toUpperCase()}`, { timeout: 80_000 }, async () => {
      const before = await ended('watched');
      await run({ scenario: 'call', transport, target: 'clock', calls: 200, callsPerSecond: 50 });
      assert.equal((await ended('watched')) - before, 200);
    });
  }

  test('cancels 50 calls before the answer', { timeout: 80_000 }, async () => {
    await run({ scenario: 'cancel', transport: 'udp', target: 'silent', calls: 50, callsPerSecond: 50 });
    assert.equal(await ended('cancelled'), 50);
  });

  test('puts 50 calls on hold in two ways and resumes them', { timeout: 80_000 }, async () => {
    await run({ scenario: 'hold', transport: 'udp', target: 'clock', calls: 50, callsPerSecond: 50 });
  });

  test('sends each INVITE again: it is one call, and the answer is the same', { timeout: 80_000 }, async t => {
    const before = await ended('watched');
    const { cameAgain } = await run({
      scenario: 'retransmission',
      transport: 'udp',
      target: 'clock',
      calls: 50,
      callsPerSecond: 50,
    });
    assert.equal((await ended('watched')) - before, 50);
    t.diagnostic(`${cameAgain} answers came again, byte for byte`);
    assert.ok(cameAgain >= 50, `only ${cameAgain} answers came again`);
  });

  test('leaves nothing behind', { timeout: 2 * SETTLE_TIMEOUT_MS }, async t => {
    const over = () => performance.now() > lastCalledAtMs + TRANSACTION_MS;
    await until('the end of the last transaction', over, TRANSACTION_MS + 1_000);
    const { heapBytes, ...rest } = footprint;
    let now = await measureFootprint(server);
    const back = async () => {
      now = await measureFootprint(server);
      const { heapBytes: heapNow, ...restNow } = now;
      return heapNow <= heapBytes + HEAP_SLACK_BYTES && JSON.stringify(restNow) === JSON.stringify(rest);
    };
    // What has not come back in time is told by what is compared below.
    await until('the footprint of before', back, SETTLE_TIMEOUT_MS).catch(() => undefined);
    const { heapBytes: heapNow, ...restNow } = now;
    const grownKB = Math.round((heapNow - heapBytes) / 1024);
    t.diagnostic(
      `after ${called} calls the heap is ${grownKB} KB larger; ${restNow.descriptors.length} descriptors are open`,
    );
    assert.deepEqual(restNow, rest);
    assert.ok(heapNow <= heapBytes + HEAP_SLACK_BYTES, `the heap grew by ${grownKB} KB`);
  });
});
