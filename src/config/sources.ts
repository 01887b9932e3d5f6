import { existsSync, realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Static } from 'typebox';
import type { SourcesConfig } from './config.ts';
import type { Problem } from './problems.ts';
import type { SOURCES_SCHEMA } from './schema.ts';

type SourcesFile = Static<typeof SOURCES_SCHEMA>;
type Fault = Pick<Problem, 'fault' | 'remedy'>;

/** The rest of the URL is a path. */
const OF_FILES: readonly string[] = ['file', 'sdp'];

/** The section with its defaults; paths are relative to `base`. */
export function completeSources({ kinds = 'all', roots = [] }: SourcesFile, base: string, known: readonly string[]) {
  return {
    kinds: kinds === 'all' ? known : kinds,
    roots: roots.map(root => resolve(base, root)),
  } satisfies SourcesConfig;
}

/** Kinds and folders that there are not. */
export function sourcesProblems({ kinds = 'all', roots = [] }: SourcesFile, base: string, known: readonly string[]) {
  const unknown = kinds === 'all' ? [] : [...kinds.entries()].filter(([, kind]) => !known.includes(kind));
  const absent = [...roots.entries()].filter(([, root]) => !existsSync(resolve(base, root)));
  return [
    ...unknown.map(([index, kind]): Problem => {
      const remedy = `write all, or some of ${known.join(', ')}`;
      return { path: ['sources', 'kinds', index], fault: `there is no kind ${kind}`, remedy };
    }),
    ...absent.map(([index, root]): Problem => {
      const fault = `${resolve(base, root)} is not there`;
      return { path: ['sources', 'roots', index], fault, remedy: 'write a folder that is there' };
    }),
  ];
}

/** Makes the path of a source that has one absolute. */
export function absoluteSource(source: string, base: string): string {
  const path = pathOf(source);
  return path === null ? source : `${source.slice(0, -path.length)}${resolve(base, path)}`;
}

/** Why a source, its path absolute, may not be played; null when it may. Symlinks count as what they lead to. */
export function sourceRefusal(source: string, { kinds, roots }: SourcesConfig): Fault | null {
  const [kind = ''] = source.split(':', 1);
  if (!kinds.includes(kind)) {
    const fault = `sources of the kind ${kind}: are not allowed`;
    return {
      fault,
      remedy: `add ${kind} to sources.kinds, or begin it with one of ${kinds.map(each => `${each}:`).join(', ')}`,
    };
  }
  const path = pathOf(source);
  if (path === null || roots.length === 0 || roots.some(root => isInside(real(path), real(root)))) return null;
  return {
    fault: `${path} is in none of the folders of sources.roots`,
    remedy: `move it there, or add its folder to them`,
  };
}

function pathOf(source: string): string | null {
  const [kind = ''] = source.split(':', 1);
  return OF_FILES.includes(kind) && source.length > kind.length + 1 ? source.slice(kind.length + 1) : null;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../');
}

/** A file that is not there yet is where its folder really is. */
function real(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = resolve(path, '..');
  return parent === path ? path : resolve(real(parent), relative(parent, path));
}
