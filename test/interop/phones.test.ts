import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { Baresip, type BaresipOptions, missingBaresip } from './support/baresip.ts';
import { Linphone } from './support/linphone.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { find, missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { checkAge, checkBeeps } from './support/testcard-checks.ts';
import { until } from './support/until.ts';

interface Listing {
  calls: { channel: string; transport: string; codecs: string[]; held: boolean }[];
}

const CHANNELS = [{ number: 101, name: 'clock', title: 'Clock', source: 'testcard:' }];

async function theCall(server: DialcastServer): Promise<Listing['calls'][number]> {
  const { calls } = await server.api<Listing>('/api/calls');
  assert.equal(calls.length, 1);
  return calls[0]!;
}

async function nothingIsLeft(server: DialcastServer): Promise<void> {
  await until('no call', async () => (await server.api<Listing>('/api/calls')).calls.length === 0);
  await until('no viewer', async () => (await server.metric('dialcast_viewers')) === 0);
}

describe('baresip', { skip: OUTSIDE || missingBaresip() || missing('ffmpeg') }, () => {
  let server: DialcastServer;
  let folder: string;
  let phone: Baresip | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-film-'));
    const film = join(folder, 'short.mkv');
    const inputs = ['-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=25', '-f', 'lavfi', '-i', 'sine=500'];
    execFileSync(find('ffmpeg')!, ['-v', 'error', ...inputs, '-t', '3', film]);
    const channels = [...CHANNELS, { number: 102, name: 'short', source: `file:${film}` }];
    server = await DialcastServer.start({ channels });
  });
  afterEach(async () => {
    await phone?.stop();
    phone = undefined;
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (options: BaresipOptions): Promise<Baresip> => {
    phone = await Baresip.start(options);
    return phone;
  };
  const uri = (channel: string) => `sip:${channel}@${HOST}:${server.ports.udp}`;

  const WAYS = [
    { audio: 'PCMA', video: { codec: 'H264' }, decoder: 'H264 packetization-mode=0' },
    { audio: 'PCMA', video: { codec: 'H264', modes: true }, decoder: 'H264 packetization-mode=1' },
    { audio: 'PCMU', video: { codec: 'VP8' }, decoder: 'VP8' },
  ] as const;
  for (const { audio, video, decoder } of WAYS) {
    const options = { skip: missingBaresip(video.codec), timeout: 60_000 };
    test(`calls the clock, shows ${decoder} and hears ${audio}, and hangs up`, options, async t => {
      const baresip = await start({ audio, video });
      await baresip.dial(uri('clock'));
      await baresip.record();
      const { channel, transport, codecs } = await theCall(server);
      const names = [video.codec.toLowerCase(), audio.toLowerCase()];
      assert.deepEqual([channel, transport, codecs], ['clock', 'udp', names]);

      await until('a hundred pictures', async () => (await baresip.pictures()).count >= 100, 20_000);
      const { width, height } = await baresip.pictures();
      assert.deepEqual([width, height], [1280, 720]);
      assert.match(baresip.output, new RegExp(`Set video decoder: ${decoder}`));
      const first = checkAge(await baresip.snapshot(), t);
      const second = checkAge(await baresip.snapshot(), t);
      assert.ok(second > first, 'the second picture is not after the first');

      const since = baresip.events.length;
      await baresip.command('hangup');
      await baresip.event('CALL_CLOSED', since);
      await nothingIsLeft(server);
      checkBeeps(baresip.heard, t);
      for (const { rtcp_stats } of baresip.events) assert.equal(rtcp_stats?.rx.lost ?? 0, 0, 'packets were lost');
    });
  }

  test('holds the call, gets nothing, and resumes it', { timeout: 60_000 }, async () => {
    const baresip = await start({ audio: 'PCMA', video: { codec: 'VP8' } });
    await baresip.dial(uri('clock'));
    await until('pictures', async () => (await baresip.pictures()).count > 0);
    await baresip.command('hold');
    await until('a held call', async () => (await theCall(server)).held);
    // Sender reports go on, one a second, and tell how much was sent.
    const reports = () => baresip.events.filter(event => event.type === 'CALL_RTCP' && event.param === 'video');
    const atHold = reports().length;
    await until('three reports', () => reports().length >= atHold + 3);
    const counts = reports().map(({ rtcp_stats }) => rtcp_stats!.rx.sent);
    assert.equal(counts.at(-1), counts.at(-2), 'video was sent while the call was held');

    const { count } = await baresip.pictures();
    await baresip.command('resume');
    await until('a resumed call', async () => !(await theCall(server)).held);
    await until('pictures again', async () => (await baresip.pictures()).count >= count + 30);
    await baresip.command('hangup');
    await nothingIsLeft(server);
  });

  test('without video in its offer gets sound alone', { timeout: 60_000 }, async t => {
    const baresip = await start({ audio: 'PCMA', video: null });
    await baresip.dial(uri('clock'));
    await baresip.record();
    assert.deepEqual((await theCall(server)).codecs, ['pcma']);
    const reports = () => baresip.events.filter(event => event.type === 'CALL_RTCP');
    await until('five seconds', () => reports().length >= 5);
    assert.deepEqual([...new Set(reports().map(({ param }) => param))], ['audio']);
    await baresip.command('hangup');
    await nothingIsLeft(server);
    checkBeeps(baresip.heard, t);
  });

  test('is hung up on when the film is over', { timeout: 60_000 }, async () => {
    const baresip = await start({ audio: 'PCMA', video: { codec: 'VP8' } });
    await baresip.dial(uri('short'));
    await until('pictures', async () => (await baresip.pictures()).count > 0);
    const { width, height } = await baresip.pictures();
    assert.deepEqual([width, height], [640, 360]);
    await baresip.event('CALL_CLOSED');
    await nothingIsLeft(server);
  });
});

describe('linphonec', { skip: OUTSIDE || missing('linphonec', 'ffmpeg') }, () => {
  let server: DialcastServer;
  let phone: Linphone;

  before(async () => {
    server = await DialcastServer.start({ channels: CHANNELS });
    phone = await Linphone.start();
  });
  after(async () => {
    await phone?.stop();
    await server?.stop();
  });

  const call = async (): Promise<void> => {
    await phone.type(`call sip:clock@${HOST}:${server.ports.udp}`, /Call \d+ with \S+ connected/);
  };

  test('calls the clock, shows VP8 and hears Opus, and hangs up', { timeout: 60_000 }, async t => {
    await call();
    const { channel, transport, codecs } = await theCall(server);
    assert.deepEqual([channel, transport, codecs], ['clock', 'udp', ['vp8', 'opus']]);
    await phone.logged(/MSVp8Dec: video is 1280x720/);
    await phone.logged(/First video frame decoded successfully/);
    const first = checkAge(await phone.snapshot(), t);
    // Its decoder reports every five seconds: long enough a call to judge.
    await phone.logged(/VP8 decoder: FPS/);
    const second = checkAge(await phone.snapshot(), t);
    assert.ok(second > first, 'the second picture is not after the first');

    await phone.type('terminate', /Call \d+ with \S+ ended/);
    await nothingIsLeft(server);
    checkBeeps(phone.heard, t);
    // Its statistics: how often the screen was given a picture.
    const [, pictures] = await phone.logged(/MSAnalyseDisplay +(\d+) /);
    t.diagnostic(`${pictures} pictures on the screen`);
    assert.ok(Number(pictures) >= 50, `only ${pictures} pictures`);
    // One line for each RTP session.
    const lost = [...phone.log.matchAll(/incoming cumulative lost +(\d+)/g)].map(([, count]) => Number(count));
    assert.ok(lost.length >= 2 && lost.every(count => count === 0), `packets were lost: ${lost}`);
  });

  test('is hung up on when the server ends', { timeout: 60_000 }, async () => {
    await call();
    assert.equal(await server.stop(), 0);
    await phone.said(/Call \d+ with \S+ ended/);
  });
});
