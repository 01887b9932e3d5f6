import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { find } from './programs.ts';
import { until } from './until.ts';

const CONFIGURATION = fileURLToPath(new URL('sipcapture.cfg', import.meta.url));

/** What a capture node reads in a HEP packet. */
export interface Captured {
  readonly version: number;
  /** AF_INET is 2, AF_INET6 is 10. */
  readonly family: number;
  /** UDP is 17, TCP is 6. */
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** Unix time in milliseconds. */
  readonly atMs: number;
  /** SIP is 1. */
  readonly type: number;
  readonly captureId: number;
  readonly correlationId: string;
  readonly text: string;
}

/** Kamailio as the capture node of a Homer system. End it with `stop`. */
export class CaptureNode {
  readonly captured: Captured[] = [];
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #output: string[] = [];

  static async start(port: number): Promise<CaptureNode> {
    const node = new CaptureNode(port);
    const line = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);
    try {
      await until('the capture node to listen', () => line.test(readFileSync('/proc/net/udp', 'utf8')));
      return node;
    } catch (error) {
      await node.stop();
      throw new Error(`Kamailio did not start:\n${node.#output.join('\n')}`, { cause: error });
    }
  }

  private constructor(port: number) {
    this.port = port;
    const args = ['-f', CONFIGURATION, '-l', `udp:127.0.0.1:${port}`, '-DD', '-E'];
    this.#process = spawn(find('kamailio')!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    createInterface({ input: this.#process.stderr! }).on('line', line => {
      this.#output.push(line);
      const [, fields] = /<script>: HEP (.*)$/.exec(line) ?? [];
      if (fields !== undefined) this.captured.push(parse(fields.split(' ')));
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
  }
}

function parse(fields: readonly string[]): Captured {
  const [version, family, protocol, source, destination, sourcePort, destinationPort, ...rest] = fields;
  const [seconds, microseconds, type, captureId, correlationId = '', hex = ''] = rest;
  return {
    version: Number(version),
    family: Number(family),
    protocol: Number(protocol),
    source: `${source}:${sourcePort}`,
    destination: `${destination}:${destinationPort}`,
    atMs: Number(seconds) * 1000 + Number(microseconds) / 1000,
    type: Number(type),
    captureId: Number(captureId),
    correlationId,
    text: Buffer.from(hex, 'hex').toString('utf8'),
  };
}
