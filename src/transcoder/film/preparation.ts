import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../child-environment.ts';
import type { PreparationMessage, PreparationTask } from './task.ts';

export interface PreparationOptions {
  readonly task: PreparationTask;
  readonly onMessage: (message: PreparationMessage) => void;
  /** It ended without having been told to, and without its last word. */
  readonly onDied: (how: string) => void;
}

/** A process that prepares, seen from the server or the command. */
export interface PreparationHandle {
  readonly pid: number | undefined;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  /** Ends it; what is written stays. No more is heard of it. */
  stop(): void;
}

export type PreparationStart = (options: PreparationOptions) => PreparationHandle;

const PROCESS = fileURLToPath(new URL('./process.ts', import.meta.url));
/** JavaScript's heap alone; pictures live outside of it. */
const HEAP_MB = 128;
const KILL_AFTER_MS = 2_000;

export const startPreparation: PreparationStart = ({ task, onMessage, onDied }) => {
  let isOver = false;
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, PROCESS], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: childEnvironment(),
  });
  // A process that could not be started or died at once breaks the pipe; its exit says so.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(task)}\n`);
  createInterface({ input: child.stdout }).on('line', line => {
    if (isOver) return;
    const message = JSON.parse(line) as PreparationMessage;
    isOver = message.type !== 'segments';
    onMessage(message);
  });
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const end = (how: string) => {
    resolve();
    if (isOver) return;
    isOver = true;
    onDied(how);
  };
  child.on('error', error => end(error.message));
  // After its output has ended, so that no last word comes later.
  child.on('close', (code, signal) => end(signal ?? `exit code ${code}`));
  const stop = () => {
    isOver = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin.end();
    const force = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    void gone.then(() => clearTimeout(force));
  };
  return { pid: child.pid, gone, stop };
};
