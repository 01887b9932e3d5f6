import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from './programs.ts';
import { TlsRelay } from './tls-relay.ts';

export interface SippOptions {
  /** A file of test/interop/sipp/ without `.xml`. */
  readonly scenario: string;
  readonly port: number;
  /** Of the server and of SIPp; this machine's 127.0.0.1 when left out. */
  readonly addresses?: { readonly server: string; readonly own: string };
  /** `udp` uses one socket for all calls, `tcp` and `tls` a connection for each. */
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Who has signed the server's certificate; for `tls`. */
  readonly authority?: string;
  /** Its own port, where it is called; any when left out. */
  readonly ownPort?: number;
  /** Which channel is called. */
  readonly target: string;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** Accounts that the calls take in turn: `[field0]` is the user, `[field1]` the answer to a challenge. */
  readonly accounts?: {
    readonly users: readonly string[];
    readonly password: string;
    /** The Request-URI without `sip:`; SIPp does not see itself what it is. */
    readonly uri: string;
  };
}

export interface SippResult {
  /** 0 when every call went as in the scenario. */
  readonly exitCode: number | null;
  readonly successful: number;
  readonly failed: number;
  /** Responses that came again, byte for byte. */
  readonly cameAgain: number;
  /** What SIPp had to say about messages that it did not expect. */
  readonly errors: string;
}

const TIMEOUT_SECONDS = 60;

/** Of calls at once: a machine that is busy then has fewer calls a second, and no queue of them. */
const MOST_OPEN = 100;

/** Runs a scenario against a server and reads SIPp's own statistics. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  const { scenario, transport, target, calls, callsPerSecond, accounts } = options;
  const { server, own } = options.addresses ?? { server: '127.0.0.1', own: '127.0.0.1' };
  const folder = mkdtempSync(join(tmpdir(), 'dialcast-sipp-'));
  // Debian builds SIPp without TLS: it speaks TCP with a relay and writes TLS where it names its transport.
  const relay = transport === 'tls' ? await TlsRelay.open(options.port, options.authority!) : null;
  const port = relay?.port ?? options.port;
  try {
    const text = readFileSync(new URL(`../sipp/${scenario}.xml`, import.meta.url), 'utf8');
    const file = join(folder, 'scenario.xml');
    writeFileSync(file, relay === null ? text : text.replaceAll('[transport]', 'TLS'));
    const answers = accounts?.users.map(
      user => `${user};[authentication username=${user} password=${accounts.password}]\n`,
    );
    if (answers !== undefined) writeFileSync(join(folder, 'accounts'), `SEQUENTIAL\n${answers.join('')}`);
    const ownPort = options.ownPort === undefined ? [] : ['-p', String(options.ownPort)];
    const digest = accounts === undefined ? [] : ['-inf', 'accounts', '-auth_uri', accounts.uri];
    const load = ['-m', String(calls), '-r', String(callsPerSecond), '-l', String(MOST_OPEN)];
    const network = ['-t', transport === 'udp' ? 'u1' : 'tn', '-i', own, '-max_socket', '1000', ...ownPort];
    const traces = ['-trace_stat', '-stf', 'statistics', '-trace_err', '-error_file', 'errors', '-trace_counts'];
    const limits = ['-timeout', String(TIMEOUT_SECONDS), '-timeout_error', '-nostdin'];
    const sipp = spawn(
      find('sipp')!,
      [`${server}:${port}`, '-sf', file, '-s', target, ...load, ...network, ...traces, ...limits, ...digest],
      { cwd: folder, stdio: 'ignore', env: { ...process.env, TERM: 'dumb' } },
    );
    const force = setTimeout(() => sipp.kill('SIGKILL'), (TIMEOUT_SECONDS + 10) * 1000);
    const [exitCode] = (await once(sipp, 'exit')) as [number | null];
    clearTimeout(force);
    const statistics = lastRow(join(folder, 'statistics'));
    const counts = readdirSync(folder).find(name => name.endsWith('counts.csv'));
    const again = Object.entries(counts === undefined ? {} : lastRow(join(folder, counts)));
    return {
      exitCode,
      successful: Number(statistics['SuccessfulCall(C)']),
      failed: Number(statistics['FailedCall(C)']),
      cameAgain: again.reduce((sum, [name, count]) => sum + (/_\d+_Retrans$/.test(name) ? Number(count) : 0), 0),
      errors: existsSync(join(folder, 'errors')) ? readFileSync(join(folder, 'errors'), 'utf8') : '',
    };
  } finally {
    relay?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** SIPp writes a line of column names, then a row now and again with the totals so far. */
function lastRow(file: string): Readonly<Record<string, string>> {
  const [names = '', ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  const values = rows.at(-1)?.split(';') ?? [];
  return Object.fromEntries(names.split(';').map((name, index) => [name, values[index] ?? '']));
}
