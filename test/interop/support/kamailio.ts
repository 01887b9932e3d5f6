import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.ts';
import { find } from './programs.ts';
import { until } from './until.ts';

const CONFIGURATION = fileURLToPath(new URL('../../../deploy/kamailio/kamailio.cfg', import.meta.url));

/** Where it listens, at its machine's address. */
const PORTS = { udp: 5060, tcp: 5060, tls: 5061, webSocket: 8088 };

/** Files in PEM. */
interface KeyPairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Kamailio as a foreign platform, with the configuration of `deploy/kamailio`. End it with `stop`. */
export class Kamailio {
  readonly #process: ChildProcess;
  /** For its control socket. */
  readonly #folder: string;
  readonly #address: string;
  #output = '';

  /**
   * `relay` is rtpengine's control socket; nobody need listen there as long as only phones call. With `tls` it
   * serves TLS as well.
   */
  static async start(machine: Machine, relay: string, tls: KeyPairFiles | null = null): Promise<Kamailio> {
    const kamailio = new Kamailio(machine, relay, tls);
    const line = new RegExp(`:${PORTS.udp.toString(16).toUpperCase().padStart(4, '0')} `);
    try {
      const sockets = `/proc/${kamailio.#process.pid}/net/udp`;
      await until('Kamailio to listen', () => line.test(readFileSync(sockets, 'utf8')));
      return kamailio;
    } catch (error) {
      await kamailio.stop();
      throw new Error(`Kamailio did not start:\n${kamailio.#output}`, { cause: error });
    }
  }

  private constructor(machine: Machine, relay: string, tls: KeyPairFiles | null) {
    this.#folder = mkdtempSync(join(tmpdir(), 'dialcast-kamailio-'));
    this.#address = machine.address;
    const { address } = machine;
    const listen = [`udp:${this.sip}`, `tcp:${address}:${PORTS.tcp}`, `tcp:${address}:${PORTS.webSocket}`];
    const define = [`DOMAIN="${address}"`, `RTPENGINE="udp:${relay}"`];
    if (tls !== null) {
      listen.push(`tls:${address}:${PORTS.tls}`);
      define.push(`TLS_CERTIFICATE="${tls.certificate}"`, `TLS_KEY="${tls.key}"`);
    }
    const given = [...listen.flatMap(each => ['-l', each]), ...define.flatMap(each => ['-A', each])];
    const args = ['-f', CONFIGURATION, ...given, '-Y', this.#folder, '-DD', '-E'];
    const child = machine.spawn('kamailio', args);
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.#output += text;
      });
    }
  }

  /** Its address for SIP over UDP and TCP, and with that the domain of its subscribers. */
  get sip(): string {
    return `${this.#address}:${PORTS.udp}`;
  }

  /** Where browsers reach it. */
  get webSocket(): string {
    return `ws://${this.#address}:${PORTS.webSocket}`;
  }

  /** Requests in dialogs that it forwarded, as `METHOD from ADDRESS`. */
  get requestsInDialogs(): string[] {
    return [...this.#output.matchAll(/in a dialog: (\w+ from \S+)/g)].map(([, request]) => request!);
  }

  /** Everything that it printed. */
  get output(): string {
    return this.#output;
  }

  /** Its transactions, those included that only wait for what comes again. */
  transactions(): number {
    const socket = `unixs:${join(this.#folder, 'kamailio_ctl')}`;
    const text = execFileSync(find('kamcmd')!, ['-s', socket, 'tm.stats'], { encoding: 'utf8' });
    return Number(/current: (\d+)/.exec(text)![1]);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill();
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
