import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What .gitignore leaves out; asked only where there is no git, as in an unpacked archive. */
const IGNORED = new Set(['.git', 'node_modules', 'build', 'dist', 'data', 'media']);

/** Every file that belongs to the repository or is about to, as paths from its root. */
export function trackedFiles(): string[] {
  // The folder may belong to somebody else, as in a container; git is only asked for names.
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const git = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  const listed = git.status === 0 ? git.stdout.split('\0').filter(Boolean) : walk(ROOT);
  // A file that was just deleted is still in git's index.
  return listed.filter(file => existsSync(join(ROOT, file)));
}

export function readTracked(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (IGNORED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [relative(ROOT, path)];
  });
}
