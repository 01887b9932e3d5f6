import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program's path, or null when this machine does not have it. */
export function find(program: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** Why a test that needs these programs is skipped; false when all are there. */
export function missing(...programs: string[]): string | false {
  const absent = programs.filter(program => find(program) === null);
  return absent.length === 0 ? false : `needs ${absent.join(', ')}, which this machine does not have`;
}
