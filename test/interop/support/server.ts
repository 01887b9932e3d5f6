import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { until } from './until.ts';

const DIALCAST = fileURLToPath(new URL('../../../bin/dialcast', import.meta.url));
const START_TIMEOUT_MS = 15_000;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface Ports {
  readonly http: number;
  readonly udp: number;
  readonly tcp: number;
  readonly tls: number;
  readonly media: number;
}

/** `bin/dialcast serve` as an operator would run it, on free ports. End it with `stop`. */
export class DialcastServer {
  readonly process: ChildProcess;
  readonly log: LogLine[];
  readonly ports: Ports;
  readonly #folder: string;

  /** `config` is laid over free ports and a clock channel; `nodeOptions` are for the Node that runs it. */
  static async start(config: object = {}, nodeOptions = ''): Promise<DialcastServer> {
    const folder = mkdtempSync(join(tmpdir(), 'dialcast-test-'));
    const file = join(folder, 'dialcast.yaml');
    const whole = {
      http: { port: 0 },
      sip: { udp: 0, tcp: 0 },
      media: { port: 0 },
      channels: [{ number: 101, name: 'clock', title: 'Clock', source: 'testcard:' }],
      ...config,
    };
    writeFileSync(file, stringify(whole));
    const child = spawn(DIALCAST, ['serve', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...(nodeOptions && { NODE_OPTIONS: nodeOptions }) },
    });
    const log: LogLine[] = [];
    const ready = new Promise<Ports>((resolve, reject) => {
      createInterface({ input: child.stderr! }).on('line', line => {
        const entry = parseLine(line);
        log.push(entry);
        if (entry.msg === 'ready') resolve(entry as unknown as Ports);
      });
      child.once('error', reject);
      child.once('exit', code =>
        reject(new Error(`dialcast ended with ${code}:\n${log.map(each => each.msg).join('\n')}`)),
      );
      setTimeout(() => reject(new Error('dialcast did not become ready')), START_TIMEOUT_MS).unref();
    });
    try {
      return new DialcastServer(child, log, await ready, folder);
    } catch (error) {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(child: ChildProcess, log: LogLine[], ports: Ports, folder: string) {
    this.process = child;
    this.log = log;
    this.ports = ports;
    this.#folder = folder;
  }

  origin(host = '127.0.0.1'): string {
    return `http://${host}:${this.ports.http}`;
  }

  async api<T>(path: string): Promise<T> {
    const response = await fetch(`${this.origin()}${path}`);
    return (await response.json()) as T;
  }

  /** The value of a metric: the sum of its samples whose labels contain `labels`. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await (await fetch(`${this.origin()}/metrics`)).text();
    let sum = 0;
    for (const line of text.split('\n')) {
      const [, metric, given = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (metric !== name) continue;
      if (Object.entries(labels).every(([label, wanted]) => given.includes(`${label}="${wanted}"`)))
        sum += Number(value);
    }
    return sum;
  }

  /** Process ids of its transcoders, from the system's own table. */
  transcoders(): Promise<number[]> {
    return childrenOf(this.process.pid!);
  }

  /** Waits for a line of the log. */
  logged(matches: (line: LogLine) => boolean, timeoutMs = 10_000): Promise<LogLine> {
    return until('a line of the log', () => this.log.find(matches), timeoutMs);
  }

  /** Ends it as an operator would and returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const exited = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
    return this.process.exitCode;
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 'text', msg: line };
  }
}

/** The direct children of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(tasks.map(task => readFile(`/proc/${pid}/task/${task}/children`, 'utf8')));
  return lists.flatMap(list => list.split(' ').filter(Boolean).map(Number));
}
