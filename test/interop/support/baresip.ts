import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { HOST } from './network.ts';
import { find } from './programs.ts';
import { until } from './until.ts';

/** Where Debian's packages put them. */
const MODULES = '/usr/lib/baresip/modules';

const VIDEO_MODULES = { H264: 'avcodec.so', VP8: 'vp8.so' } as const;

export interface BaresipOptions {
  readonly audio: 'PCMA' | 'PCMU';
  /** What it offers; null leaves video out of the offer. `modes` adds packetization-mode=1 to H.264. */
  readonly video: { readonly codec: 'H264' | 'VP8'; readonly modes?: true } | null;
  /** The authority that it trusts for SIP over TLS. */
  readonly authority?: string;
  /** SIP URIs whose presence it watches. */
  readonly contacts?: readonly string[];
  /** It registers at the server and sends all its requests there. */
  readonly account?: { readonly uri: string; readonly password: string; readonly server: string };
}

/** A message that baresip sends by itself; `type` is CALL_ESTABLISHED, CALL_CLOSED, CALL_RTCP and so on. */
export interface BaresipEvent {
  readonly type: string;
  readonly param?: string;
  readonly rtcp_stats?: { readonly rx: { readonly sent: number; readonly lost: number } };
}

interface Reply {
  readonly ok: boolean;
  readonly data: string;
  readonly token: string;
}

/** Why a test with this video codec is skipped; false when its module is there. */
export function missingBaresip(codec?: keyof typeof VIDEO_MODULES): string | false {
  if (find('baresip') === null) return 'needs baresip, which this machine does not have';
  if (codec === undefined || existsSync(join(MODULES, VIDEO_MODULES[codec]))) return false;
  return `needs baresip's module ${VIDEO_MODULES[codec]} (Debian: baresip-ffmpeg), which this machine does not have`;
}

/**
 * The phone baresip, steered over its control socket. Its camera, screen and sound card are
 * dummies. End it with `stop`.
 */
export class Baresip {
  readonly events: BaresipEvent[] = [];
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  #control: Socket | null = null;
  #output = '';
  #count = 0;

  static async start(options: BaresipOptions): Promise<Baresip> {
    const port = await freePort();
    const baresip = new Baresip(options, port);
    try {
      await baresip.#connect(port);
      return baresip;
    } catch (error) {
      await baresip.stop();
      throw new Error(`baresip did not start:\n${baresip.#output}`, { cause: error });
    }
  }

  private constructor({ audio, video, authority, account, contacts = [] }: BaresipOptions, port: number) {
    this.#folder = mkdtempSync(join(tmpdir(), 'dialcast-baresip-'));
    const modules = ['g711', 'aubridge', ...(video === null ? [] : ['snapshot', 'fakevideo'])];
    const codecs = video === null ? [] : [VIDEO_MODULES[video.codec]];
    const lines = [
      `sip_listen ${HOST}:0`,
      ...(authority === undefined ? [] : [`sip_cafile ${authority}`]),
      // What it plays comes back as what it says: a sound card without a card, which keeps its time.
      'audio_player aubridge,loop',
      'audio_source aubridge,loop',
      ...(video === null ? [] : ['video_source fakevideo,', 'video_display fakevideo,', 'video_size 320x240']),
      `snd_path ${this.#folder}`,
      // In frames; a machine that is busy with other tests must not look like a bad network.
      'jitter_buffer_delay 5-50',
      `ctrl_tcp_listen 127.0.0.1:${port}`,
      `module_path ${MODULES}`,
      ...[...modules.map(name => `${name}.so`), ...codecs].map(name => `module ${name}`),
      'module_tmp account.so',
      ...['menu', 'ctrl_tcp', 'debug_cmd', ...(contacts.length > 0 ? ['contact', 'presence'] : [])].map(
        name => `module_app ${name}.so`,
      ),
    ];
    writeFileSync(join(this.#folder, 'config'), `${lines.join('\n')}\n`);
    // Named alone, H.264 is offered with the first of its packetization modes.
    const only = video === null || video.modes ? '' : `;video_codecs=${video.codec}`;
    const identity =
      account === undefined
        ? `<sip:viewer@${HOST}>;regint=0`
        : `<${account.uri}>;auth_pass=${account.password};outbound="${account.server}";regint=600`;
    writeFileSync(join(this.#folder, 'accounts'), `${identity};audio_codecs=${audio}${only}\n`);
    writeFileSync(join(this.#folder, 'contacts'), contacts.map(uri => `<${uri}>;presence=p2p\n`).join(''));
    this.#process = spawn(find('baresip')!, ['-v', '-f', this.#folder], {
      cwd: this.#folder,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const read = (text: string) => {
      this.#output += text;
    };
    this.#process.stdout!.setEncoding('utf8').on('data', read);
    this.#process.stderr!.setEncoding('utf8').on('data', read);
  }

  async #connect(port: number): Promise<void> {
    await until('the control socket', () => this.#output.includes('baresip is ready'));
    const control = connect(port, '127.0.0.1');
    this.#control = control;
    let unread = '';
    control.setEncoding('latin1').on('data', text => {
      unread += text;
      // Netstrings: the length, a colon, that many bytes, a comma.
      for (;;) {
        const colon = unread.indexOf(':');
        const end = colon + 1 + Number(unread.slice(0, colon));
        if (colon < 0 || unread.length <= end) return;
        this.#receive(JSON.parse(unread.slice(colon + 1, end)) as BaresipEvent | Reply);
        unread = unread.slice(end + 1);
      }
    });
    control.on('error', () => undefined);
    await once(control, 'connect');
  }

  #receive(message: BaresipEvent | Reply): void {
    if ('type' in message) this.events.push(message);
    else this.#waiting.get(message.token)?.(message);
  }

  /** Gives a command and returns what baresip prints for it. */
  async command(command: string, params = ''): Promise<string> {
    const token = String(this.#count++);
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#waiting.set(token, resolve);
    const text = JSON.stringify({ command, params, token });
    this.#control!.write(`${text.length}:${text},`);
    const { ok, data } = await promise;
    if (!ok) throw new Error(`baresip: ${command}: ${data}`);
    return data;
  }

  /** Waits for an event that came after the first `since` ones. */
  event(type: string, since = 0, matches: (event: BaresipEvent) => boolean = () => true): Promise<BaresipEvent> {
    return until(`${type} from baresip`, () =>
      this.events.slice(since).find(each => each.type === type && matches(each)),
    );
  }

  async dial(uri: string): Promise<void> {
    const since = this.events.length;
    await this.command('dial', uri);
    await this.event('CALL_ESTABLISHED', since);
  }

  /** Pictures that it decoded and gave to its screen in this call. */
  async pictures(): Promise<{ width: number; height: number; count: number }> {
    const report = await this.command('video_debug');
    const [, width, height, count] = /vidisp: fakevideo (\d+) x (\d+) frames=(\d+)/.exec(report) ?? [];
    return { width: Number(width ?? 0), height: Number(height ?? 0), count: Number(count ?? 0) };
  }

  /** Writes the picture on its screen to a file and returns the file's path. */
  async snapshot(): Promise<string> {
    const file = join(this.#folder, `screen-${this.#count}.png`);
    await this.command('snapshot_recv', file);
    await until('a snapshot', () => this.#output.includes(`png: wrote ${file}`));
    return file;
  }

  /** From now on it writes what it hears to the WAV file `heard`. */
  async record(): Promise<void> {
    // A call that only receives loses the filters that it began with; those that come with a re-INVITE stay.
    await this.command('insmod', 'sndfile.so');
    await this.command('reinvite');
    await until('a recording', () => this.#output.includes('dumping decode audio'));
  }

  /** Whole once the call is over. */
  get heard(): string {
    const file = readdirSync(this.#folder).find(name => name.endsWith('-dec.wav'));
    if (file === undefined) throw new Error('baresip has not recorded anything');
    return join(this.#folder, file);
  }

  /** Everything that it printed. */
  get output(): string {
    return this.#output;
  }

  async stop(): Promise<void> {
    this.#control?.destroy();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
