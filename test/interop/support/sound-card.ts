import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from './programs.ts';
import { until } from './until.ts';

/** A sound card that nobody hears: PulseAudio with a null sink. Firefox plays no sound where there is no device. */
export class SoundCard {
  readonly #process: ChildProcess;
  readonly #folder: string;

  static async start(): Promise<SoundCard> {
    const folder = mkdtempSync(join(tmpdir(), 'dialcast-sound-'));
    const card = new SoundCard(folder);
    await until('the sound card', () => existsSync(card.#socket));
    return card;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    const modules = ['module-null-sink', `module-native-protocol-unix auth-anonymous=1 socket=${this.#socket}`];
    const args = ['--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '-n'];
    this.#process = spawn(find('pulseaudio')!, [...args, ...modules.flatMap(module => ['-L', module])], {
      stdio: 'ignore',
      env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder },
    });
  }

  /** What a program needs in its environment to find it. */
  get environment(): Readonly<Record<string, string>> {
    return { PULSE_SERVER: `unix:${this.#socket}` };
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.#folder, 'pulse.sock');
  }
}
