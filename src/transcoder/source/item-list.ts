import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a folder or a playlist names. */
export interface Item {
  /** Without the folder: callers get to read it. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** A playlist that is larger is none. */
const MOST_BYTES = 4 * 2 ** 20;
const MOST_ITEMS = 10_000;

/** What of a folder is played: the rest is subtitles, pictures and texts, of which FFmpeg would make films as well. */
const MEDIA: ReadonlySet<string> = new Set(
  ['.3gp', '.aac', '.ac3', '.asf', '.avi', '.divx', '.flac', '.flv', '.m2ts', '.m2v', '.m4a', '.m4v', '.mka', '.mkv']
    .concat(['.mov', '.mp2', '.mp3', '.mp4', '.mpeg', '.mpg', '.mts', '.mxf', '.nut', '.ogg', '.ogm', '.ogv', '.opus'])
    .concat(['.ts', '.vob', '.wav', '.webm', '.wma', '.wmv', '.y4m']),
);

const PLAYLISTS: readonly string[] = ['.m3u', '.m3u8'];

/** Is it a folder, or a playlist of files. A playlist of HLS is not: what it names are pieces of one film. */
export async function isItemList(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
    return PLAYLISTS.includes(extname(path).toLowerCase()) && !/^#EXT-X-/m.test(await readPlaylist(path));
  } catch {
    // Whoever opens it will say why.
    return false;
  }
}

/** What is to be played, in its order: a folder's files as people sort them, `part 2` before `part 10`. */
export async function readItems(path: string): Promise<readonly Item[]> {
  if (!(await stat(path)).isDirectory()) return parsePlaylist(await readPlaylist(path), path);
  const entries = await readdir(path, { withFileTypes: true });
  const { compare } = new Intl.Collator('en', { numeric: true });
  return (
    entries
      // To open a pipe would wait for somebody to write into it.
      .filter(entry => (entry.isFile() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
      .map(({ name }) => ({ name, path: join(path, name) }))
      .filter(({ name }) => MEDIA.has(extname(name).toLowerCase()))
      .sort((a, b) => compare(a.name, b.name))
      .slice(0, MOST_ITEMS)
  );
}

/** A line an item: a path, or the URL of one; relative to the list. */
function parsePlaylist(text: string, place: string): Item[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map(line => line.trim());
  return lines
    .filter(line => line !== '' && !line.startsWith('#'))
    .slice(0, MOST_ITEMS)
    .map(line => resolve(dirname(place), pathOf(line)))
    .map(path => ({ name: basename(path), path }));
}

function pathOf(line: string): string {
  if (!line.startsWith('file:')) return line;
  try {
    return line.startsWith('file://') ? fileURLToPath(line) : line.slice('file:'.length);
  } catch {
    return line;
  }
}

async function readPlaylist(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
  return buffer.toString('utf8', 0, bytesRead);
}
