import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HOST } from '../../test/interop/support/network.ts';
import { find } from '../../test/interop/support/programs.ts';
import type { DialcastServer } from '../../test/interop/support/server.ts';
import { until } from '../../test/interop/support/until.ts';

const SCENARIO = fileURLToPath(new URL('holder.xml', import.meta.url));

/** The program that holds the call. */
export const HOLDER_PROGRAM = 'sipp';

const FRAMES = 'dialcast_encode_frames_total';

/** A viewer that keeps a channel on air and costs nothing but its packets: a SIPp call that decodes nothing. */
export class Holder {
  readonly #process: ChildProcess;

  /** Resolves once the channel sends it pictures. */
  static async watch(server: DialcastServer, channel: string): Promise<Holder> {
    const args = ['-sf', SCENARIO, '-m', '1', '-s', channel, '-i', HOST, '-mi', HOST, '-nostdin'];
    const sipp = spawn(find(HOLDER_PROGRAM)!, [...args, `${HOST}:${server.ports.udp}`], { stdio: 'ignore' });
    const holder = new Holder(sipp);
    try {
      await until('pictures for the holder', async () => (await server.metric(FRAMES, { channel, codec: 'h264' })) > 0);
      return holder;
    } catch (error) {
      await holder.stop();
      throw error;
    }
  }

  private constructor(sipp: ChildProcess) {
    this.#process = sipp;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}
