import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { find } from './programs.ts';
import { until } from './until.ts';

/** The far end of the cable in our own machine, see `scripts/network.sh`. */
const CABLE = 'dialcast1';
const SWITCH = 'switch0';

/**
 * Another machine beside ours, on one switch with it: a network namespace with one address. End it with `stop`, after the
 * programs that run on it.
 */
export class Machine {
  readonly address: string;
  /** A process that waits until its standard input ends, and so cannot outlive us. */
  readonly #holder: ChildProcess;

  /** The address must be of the network of `HOST`. */
  static async start(address: string): Promise<Machine> {
    const machine = new Machine(address);
    try {
      const ours = readlinkSync('/proc/self/ns/net');
      await until('a network namespace', () => readlinkSync(machine.#namespace) !== ours);
      if (spawnSync('ip', ['link', 'show', SWITCH], { stdio: 'ignore' }).status !== 0) {
        run(`ip link add ${SWITCH} type bridge`);
        run(`ip link set ${CABLE} master ${SWITCH}`);
        run(`ip link set ${SWITCH} up`);
      }
      const { pid } = machine.#holder;
      run(`ip link add port${pid} type veth peer name eth0 netns ${pid}`);
      run(`ip link set port${pid} master ${SWITCH} up`);
      for (const command of ['link set lo up', `address add ${address}/24 dev eth0`, 'link set eth0 up']) {
        run(`nsenter --net=${machine.#namespace} ip ${command}`);
      }
      return machine;
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  private constructor(address: string) {
    this.address = address;
    this.#holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] });
  }

  /** Starts a program on it, whose process this is. */
  spawn(program: string, args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    const enter = [`--net=${this.#namespace}`, find(program)!, ...args];
    return spawn('nsenter', enter, { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async stop(): Promise<void> {
    const exited = once(this.#holder, 'exit');
    this.#holder.stdin!.end();
    await exited;
  }

  get #namespace(): string {
    return `/proc/${this.#holder.pid}/ns/net`;
  }
}

function run(command: string): void {
  const [program, ...args] = command.split(' ');
  const { status, stderr } = spawnSync(program!, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}
