import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { DialcastError } from '../../errors.ts';
import { dvbInput } from './dvb.ts';
import { execInput, splitCommand } from './exec.ts';
import { fileInput } from './file.ts';
import { httpInput } from './http.ts';
import { createSource, SOURCE_KINDS } from './index.ts';
import type { Input } from './input.ts';
import { rtmpInput } from './rtmp.ts';
import { rtpInput } from './rtp.ts';
import { rtspInput } from './rtsp.ts';
import { sdpInput } from './sdp.ts';
import { srtInput } from './srt.ts';
import { udpInput } from './udp.ts';
import { vlcInput } from './vlc.ts';

const INPUTS: readonly [source: string, input: (url: string) => Input, url: string, options: Record<string, string>][] =
  [
    ['file:/srv/a film.mp4', fileInput, 'file:/srv/a film.mp4', {}],
    ['sdp:/srv/camera.sdp', sdpInput, 'file:/srv/camera.sdp', {}],
    ['http://tv.example/live.m3u8?a=b', httpInput, 'http://tv.example/live.m3u8?a=b', {}],
    ['rtsp://ann:secret@camera/1', rtspInput, 'rtsp://ann:secret@camera/1', { rtsp_flags: 'prefer_tcp' }],
    ['rtsp://camera/1#transport=udp', rtspInput, 'rtsp://camera/1', { rtsp_transport: 'udp' }],
    ['rtmp://cdn/live/news', rtmpInput, 'rtmp://cdn/live/news', { rtmp_live: 'live' }],
    ['rtmp://0.0.0.0/live/news#listen', rtmpInput, 'rtmp://0.0.0.0/live/news', { listen: '1' }],
    ['srt://host:9000?passphrase=x', srtInput, 'srt://host:9000?passphrase=x', { timeout: '5000000' }],
    ['srt://0.0.0.0:9000?mode=listener', srtInput, 'srt://0.0.0.0:9000?mode=listener', {}],
    ['dvb://127.1.2.3:4567', dvbInput, 'udp://127.1.2.3:4567?localaddr=127.1.2.3', { reuse: '0' }],
    ['udp://239.0.0.1:5000', udpInput, 'udp://239.0.0.1:5000', { overrun_nonfatal: '1' }],
    ['rtp://239.0.0.1:5004', rtpInput, 'rtp://239.0.0.1:5004', {}],
  ];

describe('a source URL', () => {
  for (const [source, describeInput, url, options] of INPUTS) {
    it(`${source} is opened as ${url}`, () => {
      const input = describeInput(source);
      assert.equal(input.url, url);
      assert.deepEqual({ ...input.options, ...options }, { ...input.options });
    });
  }

  it('lets only a file and what describes one read files', () => {
    const readers = INPUTS.filter(([source, describeInput]) => describeInput(source).protocols.includes('file'));
    assert.deepEqual(
      readers.map(([source]) => source.split(':')[0]),
      ['file', 'sdp'],
    );
  });

  it('of each kind is shown in the documentation', () => {
    const page = readFileSync(new URL('../../../docs/sources.md', import.meta.url), 'utf8');
    const sections = page.split(/^## /m).slice(1);
    const kindsOf = (section: string) => section.split('\n', 1)[0]!.match(/\w+(?=:`)/g) ?? [];
    assert.deepEqual(sections.flatMap(kindsOf).sort(), [...SOURCE_KINDS].sort());
    for (const section of sections) {
      const examples = [...section.matchAll(/^ {4}source: "?(\w+):/gm)].map(([, kind]) => kind!);
      const kinds: readonly string[] = kindsOf(section);
      assert.ok(examples.length > 0 && examples.every(kind => kinds.includes(kind)), section);
    }
  });

  it('waits for nobody who listens, and for no peer longer than five seconds', () => {
    assert.equal(srtInput('srt://0.0.0.0:1?mode=listener&x=1').options.timeout, undefined);
    assert.equal(rtmpInput('rtmp://a/b/c').options.rw_timeout, '5000000');
    assert.equal(rtmpInput('rtmp://a/b/c#listen').options.rw_timeout, undefined);
  });

  for (const url of ['gopher://camera/', 'film.mp4', '', 'constructor:', '__proto__:']) {
    it(`${JSON.stringify(url)} is refused with the kinds that there are`, async () => {
      const kinds = SOURCE_KINDS.map(kind => `${kind}:`).join(', ');
      await assert.rejects(
        createSource({ url, loop: false, passThrough: true, nowUs: () => 0, changed: () => undefined }),
        ({ code, detail }: DialcastError) => code === 'SOURCE_UNSUPPORTED' && detail.endsWith(`(there are ${kinds})`),
      );
    });
  }
});

describe('a command', () => {
  for (const [line, words] of [
    ['ffmpeg -i a.mkv -f mpegts -', ['ffmpeg', '-i', 'a.mkv', '-f', 'mpegts', '-']],
    ['  play   "a film.mkv"  ', ['play', 'a film.mkv']],
    [`play 'it is "8:15"' --title="the news"`, ['play', 'it is "8:15"', '--title=the news']],
    ['play ; rm $(x) | y > z', ['play', ';', 'rm', '$(x)', '|', 'y', '>', 'z']],
    ['play ""', ['play', '']],
    ['', ['']],
  ] as const) {
    it(`${JSON.stringify(line)} is ${words.length} words`, () => {
      const { file, args } = splitCommand(line);
      assert.deepEqual([file, ...args], words);
    });
  }

  it('is what `exec:` and `vlc:` run, without a shell', () => {
    assert.deepEqual(execInput('exec:cat film.ts').command, { file: 'cat', args: ['film.ts'] });
    const { command } = vlcInput('vlc:screen://');
    assert.deepEqual([command?.file, command?.args.includes('screen://')], ['cvlc', true]);
  });
});
