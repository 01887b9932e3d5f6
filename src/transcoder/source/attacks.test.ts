import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { writeMedia } from '../../../test/support/media-files.ts';
import { createSource } from './index.ts';

const TONE = ['-f', 'lavfi', '-i', 'sine=d=2', '-c:a', 'mp2', '-f', 'mpegts'];

/** Opens a source and closes it; the fault, or null when there was something to hear in it. */
async function open(url: string): Promise<string | null> {
  const source = await createSource({
    url,
    loop: false,
    passThrough: true,
    nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
    changed: () => undefined,
  });
  try {
    const { audio } = await source.open();
    return audio === null ? 'nothing to hear' : null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await source.close();
  }
}

/** A web server that says this of `list.m3u8`, and has a tone at `tone.ts`. */
async function serve(t: TestContext, tone: string, list: string): Promise<string> {
  const server = createServer(({ url }, response) => {
    response.end(url === '/list.m3u8' ? list : readFileSync(tone));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/list.m3u8`;
}

const playlist = (...lines: string[]) =>
  ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:2', '#EXTINF:2,', ...lines, '#EXT-X-ENDLIST', ''].join('\n');

describe('a playlist on the web', { timeout: 60_000 }, () => {
  it('plays what is on the web', async t => {
    const tone = ffmpegFile(t, 'tone.ts', TONE);
    assert.equal(await open(await serve(t, tone, playlist('tone.ts'))), null);
  });

  for (const [attack, line] of [
    ['a file of this machine', (tone: string) => `file://${tone}`],
    ['a path of this machine', (tone: string) => `file:${tone}`],
    ['a file behind another protocol', (tone: string) => `crypto+file:${tone}`],
    ['a file behind a second one', (tone: string) => `crypto:file:${tone}`],
    ['files that are put together', (tone: string) => `concat:${tone}|${tone}`],
    ['a part of a file', (tone: string) => `subfile,,start,0,end,0,,:${tone}`],
    ['a pipe', () => 'pipe:0'],
    [
      'data in itself',
      (tone: string) => `data:video/mp2t;base64,${readFileSync(tone).toString('base64').slice(0, 4_000)}`,
    ],
  ] as const) {
    it(`attack: names ${attack}`, async t => {
      const tone = ffmpegFile(t, 'tone.ts', TONE);
      assert.notEqual(await open(await serve(t, tone, playlist(line(tone)))), null);
    });
  }

  it('attack: has its key in a file of this machine', async t => {
    const tone = ffmpegFile(t, 'tone.ts', TONE);
    const key = writeMedia(t, 'key', '0123456789abcdef');
    const list = playlist('tone.ts').replace('#EXTINF', `#EXT-X-KEY:METHOD=AES-128,URI="file://${key}"\n#EXTINF`);
    assert.notEqual(await open(await serve(t, tone, list)), null);
  });
});

describe('a file', { timeout: 60_000 }, () => {
  it('attack: is a playlist that names what is on the web', async t => {
    const tone = ffmpegFile(t, 'tone.ts', TONE);
    const web = (await serve(t, tone, '')).replace('list.m3u8', 'tone.ts');
    assert.notEqual(await open(`file:${writeMedia(t, 'list.m3u8', playlist(web))}`), null);
  });

  it('attack: is a list of files that are to be put together', async t => {
    const tone = ffmpegFile(t, 'tone.ts', TONE);
    for (const path of [tone, `../${dirname(tone).split('/').at(-1)}/tone.ts`]) {
      assert.notEqual(
        await open(`file:${writeMedia(t, 'list.ffconcat', `ffconcat version 1.0\nfile ${path}\n`)}`),
        null,
      );
    }
  });
});

describe('a description of a stream', { timeout: 60_000 }, () => {
  it('attack: is a playlist of files', async t => {
    const tone = ffmpegFile(t, 'tone.ts', TONE);
    assert.notEqual(await open(`sdp:${writeMedia(t, 'camera.sdp', playlist(`file://${tone}`))}`), null);
  });
});
