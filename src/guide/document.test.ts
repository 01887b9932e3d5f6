import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type DocumentVersion, openDocument, shownPlace } from './document.ts';

const LIMITS = { maxBytes: 2 ** 20, maxUnzippedBytes: 2 ** 22 };
const TEXT = '<tv>café</tv>';

/** A web server of this test's own; returns its address. */
async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function file(t: TestContext, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'guide-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'guide.xml');
  writeFileSync(path, content);
  return path;
}

async function read(place: string, known: DocumentVersion | null = null, signal = new AbortController().signal) {
  const document = await openDocument(place, known, LIMITS, signal);
  if (document === null) return null;
  let text = '';
  for await (const piece of document.text) text += piece;
  return { version: document.version, text };
}

const unreadable = (message: RegExp) => ({ code: 'GUIDE_UNREADABLE', message });

describe('a document', () => {
  const ISO = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${TEXT}`, 'latin1');

  for (const [name, content, expected] of [
    ['as it is', Buffer.from(TEXT), TEXT],
    ['gzipped', gzipSync(TEXT), TEXT],
    ['gzipped in two members', Buffer.concat([gzipSync('<tv>'), gzipSync('</tv>')]), '<tv></tv>'],
    ['in the encoding that it says', ISO, `<?xml version="1.0" encoding="ISO-8859-1"?>${TEXT}`],
    ['with nothing in it', Buffer.alloc(0), ''],
    ['of one byte', Buffer.from('a'), 'a'],
    ['that is no whole text', Buffer.from([0x61, 0xff, 0x62]), 'a\uFFFDb'],
  ] as const) {
    it(`is read ${name}, from a file and from the web`, async t => {
      assert.equal((await read(file(t, content)))?.text, expected);
      const host = await serve(t, (_, response) => {
        // In pieces that cut whatever there is to cut.
        for (let at = 0; at < content.length; at++) response.write(content.subarray(at, at + 1));
        response.end();
      });
      assert.equal((await read(`http://${host}/guide`))?.text, expected);
    });
  }

  it('is not read again while its file is as it was', async t => {
    const path = file(t, TEXT);
    const first = await read(path);
    assert.equal(await read(path, first!.version), null);
    utimesSync(path, 1, 1);
    assert.equal((await read(path, first!.version))?.text, TEXT);
  });

  it('is asked for with what is known of it, and not sent again', async t => {
    const asked: unknown[] = [];
    const host = await serve(t, ({ headers }, response) => {
      asked.push([headers['if-none-match'], headers['if-modified-since']]);
      if (headers['if-none-match'] === '"1"') return response.writeHead(304).end();
      response.writeHead(200, { etag: '"1"', 'last-modified': 'Tue, 24 Nov 2026 20:00:00 GMT' }).end(TEXT);
    });
    const first = await read(`http://${host}/`);
    assert.equal(await read(`http://${host}/`, first!.version), null);
    assert.deepEqual(asked, [
      [undefined, undefined],
      ['"1"', 'Tue, 24 Nov 2026 20:00:00 GMT'],
    ]);
  });

  it('is asked for with user and password, which are not shown', async t => {
    const host = await serve(t, ({ headers, url }, response) => response.end(`${headers.authorization} ${url}`));
    const place = `http://ann:p%40ss@${host}/get.php?user=ann&password=b`;
    const basic = Buffer.from('ann:p@ss').toString('base64');
    assert.equal((await read(place))?.text, `Basic ${basic} /get.php?user=ann&password=b`);
    assert.equal(shownPlace(place), `http://${host}/get.php`);
    assert.equal(shownPlace('/srv/a.m3u'), '/srv/a.m3u');
  });

  it('is followed to where it went, but never off the web', async t => {
    const host = await serve(t, ({ url }, response) => {
      if (url === '/new') return response.end(TEXT);
      response.writeHead(302, { location: url === '/old' ? '/new' : 'file:///etc/passwd' }).end();
    });
    assert.equal((await read(`http://${host}/old`))?.text, TEXT);
    await assert.rejects(read(`http://${host}/bad`), { code: 'GUIDE_UNREADABLE' });
  });
});

describe('a document that cannot be read is refused:', () => {
  it('a file that is not there', async () => {
    await assert.rejects(read('/nowhere/guide.xml'), unreadable(/ENOENT/));
  });

  it('a server that does not answer, or has no such thing', async t => {
    const host = await serve(t, (_, response) => response.writeHead(404).end('Not found'));
    await assert.rejects(read(`http://${host}/`), unreadable(/the server says 404 Not Found/));
    await assert.rejects(read('http://127.0.0.1:1/'), unreadable(/ECONNREFUSED|bad port/));
  });

  it('more than anybody sends', async t => {
    const host = await serve(t, (_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(65_536, 0x20))) if (response.destroyed) return;
      };
      response.on('drain', more).on('error', () => undefined);
      more();
    });
    await assert.rejects(read(`http://${host}/`), unreadable(/it has more than 1 MiB/));
  });

  it('a bomb of gzip, in the document and in the transfer', async t => {
    const bomb = gzipSync(Buffer.alloc(2 ** 25));
    await assert.rejects(read(file(t, bomb)), unreadable(/unzipped it has more than 4 MiB/));
    const host = await serve(t, (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    await assert.rejects(read(`http://${host}/`), unreadable(/it has more than 1 MiB/));
  });

  it('one that is cut off', async t => {
    await assert.rejects(read(file(t, gzipSync(TEXT).subarray(0, 20))), unreadable(/unexpected end/));
    const host = await serve(t, (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write(TEXT, () => response.destroy());
    });
    await assert.rejects(read(`http://${host}/`), { code: 'GUIDE_UNREADABLE' });
  });

  it('an encoding that there is not', async t => {
    await assert.rejects(read(file(t, '<?xml version="1.0" encoding="klingon"?>')), unreadable(/klingon/));
  });

  for (const when of ['before', 'after'] as const) {
    it(`one whose server falls silent ${when} it has begun, with the reason of who gave it up`, async t => {
      const begun = Promise.withResolvers<void>();
      const host = await serve(t, (_, response) => {
        if (when === 'after') response.writeHead(200).write(TEXT);
        begun.resolve();
      });
      const end = new AbortController();
      const reading = read(`http://${host}/`, null, end.signal);
      await begun.promise;
      end.abort(new Error('it was not read in time'));
      await assert.rejects(reading, unreadable(/it was not read in time/));
    });
  }

  it('a file that was given up', async t => {
    const end = new AbortController();
    end.abort(new Error('it was not read in time'));
    await assert.rejects(read(file(t, TEXT), null, end.signal), unreadable(/it was not read in time/));
  });
});
