import { readFileSync } from 'node:fs';

/** How often to look; what fills memory faster than that meets the kernel's own limit. */
export const LOOK_INTERVAL_MS = 500;

/** A process says that it is alive once a second; one that has not for so many looks never will. */
const SILENT_LOOKS = 20;
/** The same before its first word: a machine that is busy takes long to start a program. */
const SILENT_LOOKS_AT_FIRST = 60;
const PAGE_BYTES = 4096;

/** Whether a process is well: that it is not stuck, and how much memory it has. */
export class Vitals {
  readonly #memoryBytes: number;
  #leftLooks = SILENT_LOOKS_AT_FIRST;

  constructor(memoryBytes: number) {
    this.#memoryBytes = memoryBytes;
  }

  /** It has said that it is alive. */
  beat(): void {
    this.#leftLooks = SILENT_LOOKS;
  }

  /**
   * Looks; returns what is wrong, or null. Looks are counted, and not the time: when the whole machine stood still, it is
   * not the process that was silent.
   */
  look(pid: number): string | null {
    if (this.#leftLooks-- === 0) return 'it was stuck';
    const bytes = residentBytes(pid);
    return bytes > this.#memoryBytes
      ? `it took more than ${Math.round(this.#memoryBytes / 2 ** 20)} MiB of memory`
      : null;
  }
}

/** 0 when it cannot be known: it has ended, or the system has no /proc. */
function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
