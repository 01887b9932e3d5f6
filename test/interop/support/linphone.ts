import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { find } from './programs.ts';
import { until } from './until.ts';

/**
 * The phone linphonec, steered over its prompt. It has no camera, and a screen that only looks at what it is given;
 * what it hears it writes to a WAV file. End it with `stop`.
 */
export class Linphone {
  readonly #process: ChildProcess;
  readonly #folder: string;
  #output = '';
  #snapshots = 0;

  /** `authority` is whom it trusts for SIP over TLS. */
  static async start(authority?: string): Promise<Linphone> {
    const linphone = new Linphone(await freePort(), authority);
    try {
      await linphone.type('soundcard use files', /Using wav files/);
      await linphone.type(`record ${linphone.heard}`);
      return linphone;
    } catch (error) {
      await linphone.stop();
      throw error;
    }
  }

  private constructor(port: number, authority = '') {
    this.#folder = mkdtempSync(join(tmpdir(), 'dialcast-linphone-'));
    mkdirSync(join(this.#folder, '.local/share/linphone'), { recursive: true });
    const config = {
      // -1: any port.
      sip: { sip_port: port, sip_tcp_port: -1, sip_tls_port: -1, use_ipv6: 0, root_ca: authority },
      rtp: { audio_rtp_port: -1, video_rtp_port: -1 },
      video: { display: 1, capture: 0, automatically_initiate: 1, displaytype: 'MSAnalyseDisplay' },
    };
    const sections = Object.entries(config).map(([name, keys]) =>
      [`[${name}]`, ...Object.entries(keys).map(([key, value]) => `${key}=${value}`), ''].join('\n'),
    );
    const file = join(this.#folder, 'linphonerc');
    writeFileSync(file, sections.join('\n'));
    this.#process = spawn(find('linphonec')!, ['-c', file, '-D', '-d', '6', '-l', this.#logFile], {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, HOME: this.#folder },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#process.stdin!.on('error', () => undefined);
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  get #logFile(): string {
    return join(this.#folder, 'log');
  }

  /** What it logged so far. */
  get log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : '';
  }

  /** The WAV file with what it hears; whole once the call is over. */
  get heard(): string {
    return join(this.#folder, 'heard.wav');
  }

  /** Types a line at the prompt and waits until it prints `answer`. */
  async type(line: string, answer = /linphonec> /): Promise<void> {
    await until('the prompt of linphonec', () => this.#output.includes('linphonec> '));
    this.#output = '';
    this.#process.stdin!.write(`${line}\n`);
    await this.said(answer);
  }

  /** Waits until it has printed this since the last line that was typed. */
  said(text: RegExp): Promise<RegExpExecArray> {
    return until(`${text} from linphonec`, () => text.exec(this.#output), 20_000);
  }

  logged(text: RegExp): Promise<RegExpExecArray> {
    return until(`${text} in linphonec's log`, () => text.exec(this.log), 20_000);
  }

  /** Writes the picture on its screen to a file and returns the file's path. */
  async snapshot(): Promise<string> {
    const file = join(this.#folder, `screen-${this.#snapshots++}.jpg`);
    await this.type(`snapshot ${file}`, /Taking video snapshot/);
    // A JPEG ends with the marker FFD9.
    await until('a snapshot', () => existsSync(file) && readFileSync(file).subarray(-2).toString('hex') === 'ffd9');
    return file;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
