import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { residentBytes } from '../soak/holdings.ts';
import { find, missing } from './support/programs.ts';
import { RtpReceiver } from './support/rtp-receiver.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient, PLAIN_OFFER as SOUND_OFFER } from './support/sip-client.ts';
import { until } from './support/until.ts';

/** A source may take ten seconds to open, and one that takes too much memory is tried six times. */
const ANSWER_TIMEOUT_MS = 40_000;
const RESIDENT_SLACK_BYTES = 64 * 2 ** 20;
const MIB = 2 ** 20;
const LIMIT_MIB = 512;

/** As fast as it is read, for ever. */
function pour(response: ServerResponse, chunk: Uint8Array | string): void {
  function* forever() {
    for (;;) yield chunk;
  }
  pipeline(Readable.from(forever()), response, () => undefined);
}

/** What each path of the web server does to whoever asks. */
function attacks(folder: string): Readonly<Record<string, (response: ServerResponse) => void>> {
  const stream = readFileSync(join(folder, 'tone.ts'));
  const noise = Buffer.alloc(65_536, 0x5a);
  const segments = '#EXTINF:1,\nsegment.ts\n'.repeat(1_000);
  return {
    '/silence': () => undefined,
    '/noise': response => pour(response, noise),
    '/flood.ts': response => pour(response, stream),
    '/endless.m3u8': response => {
      response.write('#EXTM3U\n#EXT-X-TARGETDURATION:1\n');
      pour(response, segments);
    },
    '/itself.m3u8': response => {
      const list = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nitself.m3u8\n'.repeat(1_000);
      response.end(list);
    },
  };
}

const refuse = (response: ServerResponse) => void response.writeHead(404).end();

function make(folder: string): void {
  const ffmpeg = (...args: string[]) => execFileSync(find('ffmpeg')!, ['-v', 'error', '-nostdin', '-y', ...args]);
  const tone = join(folder, 'tone.ts');
  ffmpeg('-f', 'lavfi', '-i', 'sine=d=4', '-c:a', 'mp2', tone);
  // Black packs well: 144 million pixels in some 150 kB.
  const black = ['-f', 'lavfi', '-i', 'color=black:size=12000x12000:rate=5,format=gray', '-frames:v', '3'];
  ffmpeg(...black, '-c:v', 'png', join(folder, 'bomb.mkv'));
  const many = Array.from({ length: 400 }, () => ['-map', '0:a']).flat();
  ffmpeg('-i', tone, ...many, '-c', 'copy', '-t', '1', join(folder, 'streams.mkv'));
}

describe('a hostile source', { skip: missing('ffmpeg') }, () => {
  let folder: string;
  let web: Server;
  let server: DialcastServer;
  let receiver: RtpReceiver;
  let viewer: SipClient;
  let hangUp: () => Promise<unknown>;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-hostile-'));
    make(folder);
    const answers = attacks(folder);
    web = createServer(({ url = '' }, response) => (answers[url] ?? refuse)(response)).listen(0, '127.0.0.1');
    await once(web, 'listening');
    const origin = `http://127.0.0.1:${(web.address() as { port: number }).port}`;
    const sources = {
      clock: 'testcard:',
      bomb: `file:${join(folder, 'bomb.mkv')}`,
      streams: `file:${join(folder, 'streams.mkv')}`,
      ...Object.fromEntries(Object.keys(answers).map(path => [path.replace(/\W|m3u8|ts$/g, ''), origin + path])),
      shouting: 'exec:yes',
      deaf: 'exec:sleep 1000',
    };
    server = await DialcastServer.start({
      limits: { transcoderMemory: LIMIT_MIB },
      channels: Object.entries(sources).map(([name, source], index) => ({ number: 101 + index, name, source })),
    });
    viewer = await SipClient.open('udp', server.ports.udp);
    receiver = await RtpReceiver.open();
    ({ hangUp } = await viewer.call('clock', receiver.offer));
    await until('a picture', () => receiver.keyFrameAtMs !== null);
  });
  after(async () => {
    await hangUp?.();
    receiver?.close();
    viewer?.close();
    await server?.stop();
    web?.closeAllConnections();
    web?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The status and the words with which a call is answered in the end. */
  async function call(channel: string): Promise<string> {
    const client = await SipClient.open('udp', server.ports.udp);
    try {
      client.tell(client.request({ target: channel, body: receiver.offer }));
      const answer = () => /^SIP\/2\.0 ([2-6]\d\d [^\r\n]*)/m.exec(client.received)?.[1];
      return await until(`an answer of ${channel}`, answer, ANSWER_TIMEOUT_MS);
    } finally {
      client.close();
    }
  }

  test('is refused with what is wrong, and no other channel and not the server has any harm of it', {
    timeout: 120_000,
  }, async t => {
    const [clock] = await server.transcoders();
    const bytesBefore = residentBytes(server.process.pid!);
    const channels = ['bomb', 'streams', 'silence', 'noise', 'endless', 'itself', 'shouting', 'deaf'];
    let most = 0;
    const watch = setInterval(async () => {
      for (const pid of await server.transcoders().catch(() => [])) {
        most = Math.max(most, residentBytes(pid));
      }
    }, 100);
    const answers = await Promise.all(channels.map(async channel => [channel, await call(channel)] as const));
    clearInterval(watch);
    for (const [channel, answer] of answers) t.diagnostic(`${channel}: ${answer}`);
    t.diagnostic(`a transcoder had ${Math.round(most / MIB)} MiB at most`);
    assert.deepEqual(
      answers.filter(([, answer]) => !answer.startsWith('480 ')).map(([channel]) => channel),
      ['streams'],
    );
    const packets = receiver.packets;
    await until('pictures to go on', () => receiver.packets > packets + 30);
    assert.ok((await server.transcoders()).includes(clock!), 'the clock was started again');
    const grown = residentBytes(server.process.pid!) - bytesBefore;
    assert.ok(grown < RESIDENT_SLACK_BYTES, `the server has ${Math.round(grown / MIB)} MiB more`);
  });

  test('that sends as fast as it can is played as fast as its time goes, in no more memory', {
    timeout: 60_000,
  }, async () => {
    const flooded = await SipClient.open('udp', server.ports.udp);
    const { hangUp: leave } = await flooded.call('flood', SOUND_OFFER);
    const transcoder = (await server.transcoders()).at(-1);
    const packets = receiver.packets;
    await until('six seconds of pictures', () => receiver.packets > packets + 180, 30_000);
    const bytes = residentBytes(transcoder!);
    await leave();
    flooded.close();
    assert.ok(bytes < LIMIT_MIB * MIB, `its transcoder has ${Math.round(bytes / MIB)} MiB`);
  });
});
