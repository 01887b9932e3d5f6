import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DialcastError } from '../errors.ts';
import { parseConfig } from './index.ts';
import { sourceRefusal } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'sources-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'tv.yaml');
const [media, outside] = [join(folder, 'media'), join(folder, 'outside')];
for (const each of [media, outside]) mkdirSync(each);
writeFileSync(join(media, 'film.mkv'), '');
writeFileSync(join(outside, 'secret.mkv'), '');
symlinkSync(join(outside, 'secret.mkv'), join(media, 'link.mkv'));
symlinkSync(outside, join(media, 'folder'));
symlinkSync(media, join(folder, 'alias'));

const OPTIONS = { interfaces: {}, sourceKinds: ['exec', 'file', 'sdp', 'testcard'] };

function load(sources: string, source = 'testcard:') {
  return parseConfig(`sources: ${sources}\nchannels: [{number: 1, name: a, source: "${source}"}]`, path, OPTIONS);
}

/** What the configuration is refused with, without its place; null when it is taken. */
function refusal(sources: string, source?: string): string | null {
  try {
    load(sources, source);
    return null;
  } catch (error) {
    assert.ok(error instanceof DialcastError, `${error}`);
    return error.detail.replace(/^.*?:\d+:\d+: /, '');
  }
}

describe('the section sources', () => {
  it('allows every kind from anywhere unless it says otherwise', () => {
    assert.deepEqual(load('{}').sources, { kinds: OPTIONS.sourceKinds, roots: [] });
    assert.deepEqual(load('{kinds: all, roots: []}').sources, { kinds: OPTIONS.sourceKinds, roots: [] });
  });

  it('names kinds and folders, which are relative to the file', () => {
    assert.deepEqual(load('{kinds: [testcard], roots: [media]}').sources, { kinds: ['testcard'], roots: [media] });
  });

  for (const [name, sources, source, expected] of [
    [
      'a kind that there is not',
      '{kinds: [testcard, ftp]}',
      'testcard:',
      /^sources.kinds\[1\]: there is no kind ftp; write all, or some of exec, /,
    ],
    [
      'no kind at all',
      '{kinds: []}',
      'testcard:',
      /^sources.kinds: \[\] is not allowed; write all, or a list of source kinds/,
    ],
    [
      'a folder that there is not',
      '{roots: [nowhere]}',
      'testcard:',
      /^sources.roots\[0\]: .*nowhere is not there; write a folder/,
    ],
    [
      'a source of a kind that is not allowed',
      '{kinds: [testcard, file]}',
      'exec:cat a.ts',
      /^channels\[0\].source: sources of the kind exec: are not allowed; add exec to sources.kinds, or begin it with one of testcard:, file:$/,
    ],
    [
      'a file in no root',
      '{roots: [media]}',
      'file:outside/secret.mkv',
      /^channels\[0\].source: .*outside\/secret.mkv is in none of the folders of sources.roots; move it/,
    ],
    ['a description in no root', '{roots: [media]}', 'sdp:outside/camera.sdp', /is in none of the folders/],
  ] as const) {
    it(`is refused with ${name}`, () => assert.match(refusal(sources, source) ?? 'nothing', expected));
  }

  for (const source of ['file:media/film.mkv', 'file:media/not-yet.mkv', 'file:alias/film.mkv', 'file:media']) {
    it(`lets ${source} be played from the root media`, () => assert.equal(refusal('{roots: [media]}', source), null));
  }
});

describe('a file that may not be played', () => {
  const policy = { kinds: OPTIONS.sourceKinds, roots: [media] };
  for (const [attack, file] of [
    ['a symlink out of a root', join(media, 'link.mkv')],
    ['a folder that is a symlink out of a root', join(media, 'folder', 'secret.mkv')],
    ['a file yet to come behind a symlink', join(media, 'folder', 'not-yet.mkv')],
    ['a way up and out of a root', `${media}/../outside/secret.mkv`],
    ['a folder whose name begins like a root', `${media}-other/film.mkv`],
    ['a file that is above', folder],
  ] as const) {
    it(`attack: ${attack}`, () => {
      assert.match(
        sourceRefusal(`file:${file}`, policy)?.fault ?? 'none',
        /is in none of the folders of sources.roots$/,
      );
    });
  }
});
