import { posix } from 'node:path';

/** One import of one file by another; paths from the repository's root. */
export interface Import {
  readonly from: string;
  readonly to: string;
  /** Is anything left of it at run time. */
  readonly kind: 'type' | 'value';
  /** What is imported as a value, by name. */
  readonly names: readonly string[];
}

const STATIC = /^(?:import|export)\s+(?<type>type\s+)?(?:(?<what>[\w\s,*{}]+?)\s+from\s+)?'(?<specifier>\.[^']*)'/gm;
const DYNAMIC = /\bimport\(\s*'(?<specifier>\.[^']*)'/g;

/** The relative imports of a file; those of packages are nobody's room. */
export function readImports(from: string, text: string): Import[] {
  const target = (specifier: string) => posix.join(posix.dirname(from), specifier);
  const statics = [...text.matchAll(STATIC)].map(({ groups = {} }): Import => {
    const { type, what = '' } = groups;
    const names = type === undefined ? valueNames(what) : [];
    const isType = type !== undefined || (what.startsWith('{') && names.length === 0);
    return { from, to: target(groups.specifier!), kind: isType ? 'type' : 'value', names };
  });
  const dynamics = [...text.matchAll(DYNAMIC)].map(
    ({ groups = {} }): Import => ({ from, to: target(groups.specifier!), kind: 'value', names: [] }),
  );
  return [...statics, ...dynamics];
}

/** `{ type A, B as C }` gives B: what of an import list is left at run time. */
function valueNames(list: string): string[] {
  return list
    .replaceAll(/[{}\s]+/g, ' ')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && !name.startsWith('type '))
    .map(name => name.split(' as ').at(-1)!);
}

/** The room of a file: the folder under src/, or the file's own name when it lies there itself. */
export function roomOf(file: string): string {
  return file.split('/')[1]!;
}

/**
 * The face that an import goes past; null when it goes past none. A folder with an index.ts has that as its only door,
 * for whoever is outside of it.
 */
export function facePassed({ from, to }: Import, files: ReadonlySet<string>): string | null {
  const folders = to.split('/').slice(0, -1);
  for (let depth = 1; depth <= folders.length; depth++) {
    const folder = folders.slice(0, depth).join('/');
    const face = `${folder}/index.ts`;
    if (!from.startsWith(`${folder}/`) && files.has(face)) return to === face ? null : face;
  }
  return null;
}
