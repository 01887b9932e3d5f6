import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from './child-environment.ts';
import { HARDWARE_KINDS, type HardwareKind } from './wire.ts';

/** What is there to encode with. */
export interface HardwareReport {
  /** Null for software. */
  readonly hardware: HardwareKind | null;
  readonly refused: readonly { readonly kind: HardwareKind; readonly reason: string }[];
}

const PROBE = fileURLToPath(new URL('./hardware-probe.ts', import.meta.url));
const TIMEOUT_MS = 10_000;
const MOST_REASON = 200;

/** The hardware that is wanted, or with `auto` the first that works; software when there is none. */
export async function findHardware(
  wanted: 'software' | 'auto' | HardwareKind,
  probe: (kind: HardwareKind) => Promise<string | null> = probeHardware,
): Promise<HardwareReport> {
  const kinds = wanted === 'software' ? [] : wanted === 'auto' ? HARDWARE_KINDS : [wanted];
  const refused: { kind: HardwareKind; reason: string }[] = [];
  for (const kind of kinds) {
    const reason = await probe(kind);
    if (reason === null) return { hardware: kind, refused };
    refused.push({ kind, reason });
  }
  return { hardware: null, refused };
}

/** Has a few pictures encoded with it, in a process of their own. Why that does not work; null when it does. */
export async function probeHardware(kind: HardwareKind | 'software', timeoutMs = TIMEOUT_MS): Promise<string | null> {
  const child = spawn(process.execPath, [PROBE, kind], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: childEnvironment(),
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 10 * MOST_REASON);
  });
  let isSlow = false;
  const timer = setTimeout(() => {
    isSlow = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return null;
    if (isSlow) return `nothing came of it in ${timeoutMs / 1000} seconds`;
    // FFmpeg's first words tell the cause, those after them what follows of it.
    const [first = ''] = said.split('\n').filter(Boolean);
    return first.replace(/^(\[[^\]]*\] )+/, '').slice(0, MOST_REASON) || `the probe ended with ${signal ?? code}`;
  } catch (error) {
    return (error as Error).message;
  } finally {
    clearTimeout(timer);
  }
}
