import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HOST } from './network.ts';
import { find } from './programs.ts';
import { until } from './until.ts';

const CONFIGURATION = fileURLToPath(new URL('../../../deploy/rtpengine/rtpengine.conf', import.meta.url));

/** rtpengine with the configuration of `deploy/rtpengine`, in user space. End it with `stop`. */
export class Rtpengine {
  readonly #process: ChildProcess;
  readonly #cli: string;
  #output = '';

  static async start(port: number): Promise<Rtpengine> {
    const rtpengine = new Rtpengine(port);
    try {
      await until('rtpengine to listen', () => rtpengine.sessions());
      return rtpengine;
    } catch (error) {
      await rtpengine.stop();
      throw new Error(`rtpengine did not start:\n${rtpengine.#output}`, { cause: error });
    }
  }

  private constructor(port: number) {
    this.#cli = `127.0.0.1:${port + 1}`;
    const sockets = [`--listen-ng=127.0.0.1:${port}`, `--listen-cli=${this.#cli}`, `--interface=${HOST}`];
    const args = [`--config-file=${CONFIGURATION}`, ...sockets, '--foreground', '--log-stderr'];
    this.#process = spawn(find('rtpengine')!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr!.setEncoding('utf8').on('data', text => {
      this.#output += text;
    });
  }

  /** What it printed. */
  get output(): string {
    return this.#output;
  }

  /** Its list of calls, as its control tool prints it. */
  async sessions(): Promise<string> {
    const [host, port] = this.#cli.split(':');
    const socket = connect(Number(port), host);
    socket.end('list sessions all\n');
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    return text;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
  }
}
