import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.ts';
import { until } from './until.ts';

const CONFIGURATION = fileURLToPath(new URL('../../../deploy/rtpengine/rtpengine.conf', import.meta.url));

/** Where it listens, at its machine's address. */
const PORTS = { control: 2223, list: 2224 };

/** rtpengine with the configuration of `deploy/rtpengine`, in user space. End it with `stop`. */
export class Rtpengine {
  readonly #process: ChildProcess;
  readonly #address: string;
  #output = '';

  static async start(machine: Machine): Promise<Rtpengine> {
    const rtpengine = new Rtpengine(machine);
    try {
      await until('rtpengine to listen', () => rtpengine.calls());
      return rtpengine;
    } catch (error) {
      await rtpengine.stop();
      throw new Error(`rtpengine did not start:\n${rtpengine.#output}`, { cause: error });
    }
  }

  private constructor(machine: Machine) {
    this.#address = machine.address;
    const sockets = [`--listen-ng=${this.control}`, `--listen-cli=${machine.address}:${PORTS.list}`];
    const args = [...sockets, `--interface=${machine.address}`, '--foreground', '--log-stderr'];
    const child = machine.spawn('rtpengine', [`--config-file=${CONFIGURATION}`, ...args]);
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.#output += text;
      });
    }
  }

  /** Where a proxy tells it what to relay. */
  get control(): string {
    return `${this.#address}:${PORTS.control}`;
  }

  /** Everything that it printed. */
  get output(): string {
    return this.#output;
  }

  /** The Call-IDs of its list of calls. */
  async calls(): Promise<string[]> {
    const socket = connect(PORTS.list, this.#address);
    // Open until it has answered: whoever ends the connection with the question may get none.
    socket.write('list sessions all\n');
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    if (/^No sessions/.test(text)) return [];
    const calls = [...text.matchAll(/^callid: +(\S+)/gm)].map(([, callId]) => callId!);
    if (calls.length === 0) throw new Error(`rtpengine's list of calls is ${text}`);
    return calls;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
  }
}
