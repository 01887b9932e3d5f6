import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What comes of a source that sends the test card, by the times at which its frames are due. */
export interface DueTimes {
  /** From the first try to open it until the first picture was due. */
  readonly firstPictureMs: number;
  readonly pictures: number;
  /** When the white square appears and when the tone begins, in Unix milliseconds. */
  readonly flashesAtMs: readonly number[];
  readonly beepsAtMs: readonly number[];
}

const LISTENER = fileURLToPath(new URL('./source-listener.ts', import.meta.url));

/**
 * Plays a source as a transcoder would, until this many beeps were heard. Rejects when it ends before. It is a process of
 * its own: libsrt, once it runs, locks up what its process forks.
 */
export async function listenToSource(url: string, beeps: number, signal: AbortSignal, loop = false): Promise<DueTimes> {
  const args = [LISTENER, url, String(beeps), String(loop)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { signal, killSignal: 'SIGKILL' });
  return JSON.parse(stdout) as DueTimes;
}

/** Milliseconds by which each beep comes after the flash that belongs to it. */
export function soundDelaysMs({ flashesAtMs, beepsAtMs }: DueTimes): number[] {
  return beepsAtMs.flatMap(beep => {
    const delays = flashesAtMs.map(flash => beep - flash).filter(delayMs => Math.abs(delayMs) < 500);
    return delays.slice(0, 1);
  });
}
