import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HOST } from './network.ts';
import { find } from './programs.ts';
import { until } from './until.ts';

const CONFIGURATION = fileURLToPath(new URL('../../../deploy/kamailio/kamailio.cfg', import.meta.url));

export interface KamailioPorts {
  /** SIP over UDP. */
  readonly udp: number;
  /** SIP over WebSocket. */
  readonly webSocket: number;
  /** rtpengine's control socket, at loopback; nobody need listen there as long as only phones call. */
  readonly rtpengine: number;
}

/** Kamailio as a foreign platform, with the configuration of `deploy/kamailio`. End it with `stop`. */
export class Kamailio {
  readonly #process: ChildProcess;
  #output = '';

  static async start(ports: KamailioPorts): Promise<Kamailio> {
    const kamailio = new Kamailio(ports);
    const line = new RegExp(`:${ports.udp.toString(16).toUpperCase().padStart(4, '0')} `);
    try {
      await until('Kamailio to listen', () => line.test(readFileSync('/proc/net/udp', 'utf8')));
      return kamailio;
    } catch (error) {
      await kamailio.stop();
      throw new Error(`Kamailio did not start:\n${kamailio.#output}`, { cause: error });
    }
  }

  private constructor({ udp, webSocket, rtpengine }: KamailioPorts) {
    const listen = ['-l', `udp:${HOST}:${udp}`, '-l', `tcp:${HOST}:${webSocket}`];
    const define = ['-A', `DOMAIN="${HOST}"`, '-A', `RTPENGINE="udp:127.0.0.1:${rtpengine}"`];
    const args = ['-f', CONFIGURATION, ...listen, ...define, '-DD', '-E'];
    this.#process = spawn(find('kamailio')!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.setEncoding('utf8').on('data', text => {
        this.#output += text;
      });
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
  }
}
