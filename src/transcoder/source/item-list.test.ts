import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isItemList, readItems } from './item-list.ts';

function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'items-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

describe('a folder', () => {
  it('is a list of its media files, in the order in which people sort them', async t => {
    const names = ['part 10.mkv', 'part 2.MKV', 'Ähre.webm', 'zebra.ts', 'apple.mp3'];
    const others = ['part 2.srt', 'cover.jpg', 'notes.txt', '.hidden.mp4', 'README'];
    const path = folder(t, Object.fromEntries([...names, ...others].map(name => [name, ''])));
    mkdirSync(join(path, 'season.mp4'));
    execFileSync('mkfifo', [join(path, 'pipe.mp4')]);
    assert.equal(await isItemList(path), true);
    const items = await readItems(path);
    assert.deepEqual(
      items.map(({ name }) => name),
      ['Ähre.webm', 'apple.mp3', 'part 2.MKV', 'part 10.mkv', 'zebra.ts'],
    );
    assert.equal(items[1]?.path, join(path, 'apple.mp3'));
  });
});

describe('a playlist', () => {
  it('is a list of what it names, relative to itself, as often and in the order as it is written', async t => {
    const lines = ['\uFEFF#EXTM3U', '#EXTINF:12,A film', 'a film.mp4', '', '../b.mp4 ', '/srv/c.ts', 'a film.mp4'];
    const urls = ['file:d.mkv', 'file:///srv/e%20f.mkv', 'http://127.0.0.1/g.mp4'];
    const path = folder(t, { 'list.M3U8': [...lines, ...urls].join('\r\n') });
    const list = join(path, 'list.M3U8');
    assert.equal(await isItemList(list), true);
    const film = join(path, 'a film.mp4');
    assert.deepEqual(
      (await readItems(list)).map(item => item.path),
      // What is on the web is looked for here, and not found.
      [film, join(path, '../b.mp4'), '/srv/c.ts', film, join(path, 'd.mkv'), '/srv/e f.mkv'].concat(
        join(path, 'http:/127.0.0.1/g.mp4'),
      ),
    );
  });

  it('of HLS is a film, and so is any other file, or what is not there', async t => {
    const path = folder(t, { 'film.m3u8': '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.ts\n', 'film.mp4': '' });
    for (const name of ['film.m3u8', 'film.mp4', 'nothing.m3u'])
      assert.equal(await isItemList(join(path, name)), false);
  });
});
