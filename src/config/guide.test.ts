import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DialcastError } from '../errors.ts';
import { parseConfig } from './index.ts';

const OPTIONS = { interfaces: {}, sourceKinds: ['testcard'] };
const CLOCK = 'number: 1, name: clock, source: "testcard:"';

const parse = (text: string) => parseConfig(text, '/etc/dialcast/tv.yaml', OPTIONS);

/** What is wrong with a text, line by line, without the file's name. */
function faults(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    return (error as DialcastError).detail.split('\n').map(line => line.replace('/etc/dialcast/tv.yaml:', ''));
  }
  return [];
}

describe('the guide of a configuration', () => {
  it('is nothing, or what is named, its paths beside the file', t => {
    assert.deepEqual(parse('').guide, { xmltv: [], playlists: [], refreshHours: 12 });
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const name of ['a.xml', 'b.m3u']) writeFileSync(join(folder, name), '');
    const web = 'https://tv.example.org/x?a=b';
    const playlists = [{ source: 'b.m3u' }, { source: web, firstNumber: 7 }];
    const text = JSON.stringify({ guide: { xmltv: ['a.xml', web], playlists, refreshHours: 0.5 } });
    assert.deepEqual(parseConfig(text, join(folder, 'tv.yaml'), OPTIONS).guide, {
      xmltv: [join(folder, 'a.xml'), web],
      playlists: [
        { source: join(folder, 'b.m3u'), firstNumber: 1001 },
        { source: web, firstNumber: 7 },
      ],
      refreshHours: 0.5,
    });
  });

  it('is refused for each place that it cannot be read from', () => {
    const places = 'xmltv: [a.xml, ftp://a/b.xml, "http://a b/"]\n  playlists:\n    - source: b.m3u';
    const write = 'write a path, or a URL that begins with http:// or https://';
    assert.deepEqual(faults(`guide:\n  ${places}`), [
      '2:11: guide.xmltv[0]: /etc/dialcast/a.xml cannot be read (ENOENT); check the path and the permissions',
      `2:18: guide.xmltv[1]: ftp://a/b.xml is on no web server; ${write}`,
      `2:33: guide.xmltv[2]: http://a b/ is no URL; ${write}`,
      '4:7: guide.playlists[0].source: /etc/dialcast/b.m3u cannot be read (ENOENT); check the path and the permissions',
    ]);
  });

  it('may bring the channel that a platform is for', () => {
    const platforms = 'platforms: [{registrar: sip.example.org, user: a, password: b, channel: bbc}]';
    assert.deepEqual(faults(`${platforms}\nguide: {playlists: [{source: "http://a/b"}]}`), []);
    assert.match(faults(platforms).join(), /there is no channel named bbc/);
  });
});

describe('a channel of a configuration', () => {
  it('may have a group, a logo and an id in XMLTV', () => {
    const shown = { group: 'News', logo: 'https://tv.example.org/a.png', guideId: 'a.example' };
    const [channel] = parse(`channels: [{${CLOCK}, ${JSON.stringify(shown).slice(1, -1)}}]`).channels;
    assert.deepEqual(channel, { number: 1, name: 'clock', title: 'clock', source: 'testcard:', loop: false, ...shown });
  });

  it('is refused for a logo that no page could show', () => {
    assert.deepEqual(faults(`channels: [{${CLOCK}, logo: a.png}]`), [
      '1:58: channels[0].logo: "a.png" is not allowed; write the URL of a picture that begins with https://, http:// or data:image/',
    ]);
  });
});
