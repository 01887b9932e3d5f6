import { open, stat } from 'node:fs/promises';
import { INPUT, type Input } from './input.ts';

/** A file of any container and codec that FFmpeg reads. */
export function fileInput(url: string): Input {
  const path = url.slice('file:'.length);
  return {
    ...INPUT,
    url: `file:${path}`,
    // Only local files: a playlist must not make us fetch what somebody else chose.
    protocols: ['file'],
    live: false,
    check: () => readable(path),
  };
}

/** The fault, or null. FFmpeg's own words for a missing file do not say more, and a folder it cannot name at all. */
export function readable(path: string): Promise<string | null> {
  return tryToRead(path).then(
    () => null,
    error => describe(error),
  );
}

/** By opening it: access(2) knows nothing of a process's capabilities. What is no plain file may wait for somebody then. */
async function tryToRead(path: string): Promise<void> {
  if ((await stat(path)).isFile()) await (await open(path)).close();
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such file';
  if (error.code === 'EACCES') return 'permission denied';
  return error.message;
}
