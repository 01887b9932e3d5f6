import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { OUTSIDE } from './support/network.ts';
import { find, missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient } from './support/sip-client.ts';
import { squeeze } from './support/squeeze.ts';
import { StreamAge } from './support/stream-age.ts';
import { until } from './support/until.ts';

/** Of sound, 20 ms each: whoever is ever further behind is further than the limit by then. */
const SQUEEZED_PACKETS = 750;
const MOST_AGE_MS = 4_000;

interface Listing {
  channels: { outage: string | null; viewers: number; encoding: { effort: string } | null }[];
}

describe('a channel that is always on', { skip: OUTSIDE || missing('ffmpeg') }, () => {
  let folder: string;
  let server: DialcastServer;
  let sip: SipClient;
  const streams: StreamAge[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-film-'));
    const film = join(folder, 'film.mkv');
    const inputs = ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30', '-f', 'lavfi', '-i', 'sine=500'];
    const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-pix_fmt', 'yuv420p'];
    execFileSync(find('ffmpeg')!, ['-v', 'error', ...inputs, ...video, '-t', '10', film]);
    const channel = { number: 101, name: 'film', source: `file:${film}`, loop: true, alwaysOn: true };
    server = await DialcastServer.start({ channels: [{ ...channel, passThrough: 'never' }], encoders: 'v4l2' });
    sip = await SipClient.open('udp', server.ports.udp!);
  });
  after(async () => {
    for (const stream of streams) stream.close();
    sip?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const encoders = (medium: string) => server.metric('dialcast_encoders_active', { medium });
  const channel = async () => (await server.api<Listing>('/api/channels')).channels[0]!;

  test('is encoded, and has a thumbnail, before anybody calls', { timeout: 60_000 }, async () => {
    await until('its encoders', async () => (await encoders('video')) === 1 && (await encoders('audio')) === 1, 30_000);
    const thumbnail = () => fetch(`${server.origin()}/api/channels/film/thumbnail.jpg`);
    await until('a thumbnail', async () => (await thumbnail()).ok, 30_000);
    assert.equal((await channel()).viewers, 0);
    // There may be such hardware: then it is used.
    const { hardware, refused } = await server.api<{ hardware: string | null; refused: object[] }>('/api/encoders');
    assert.ok(hardware !== null || refused.length === 1);
  });

  test('does less for its pictures when it has no time, and stays live', { timeout: 90_000 }, async () => {
    const [video, sound] = [await StreamAge.open(90_000), await StreamAge.open(8_000)];
    streams.push(video, sound);
    const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
    const audio = [`m=audio ${sound.port} RTP/AVP 8`, 'a=rtcp-mux', 'a=recvonly'];
    const fmtp = 'a=fmtp:99 packetization-mode=1;profile-level-id=42e01f';
    const pictures = [`m=video ${video.port} RTP/AVP 99`, 'a=rtpmap:99 H264/90000', fmtp, 'a=rtcp-mux', 'a=recvonly'];
    await sip.call('film', [...head, ...audio, ...pictures, ''].join('\r\n'));
    await until('picture and sound', () => video.packets > 100 && sound.packets > 100, 20_000);

    const [pid] = await server.transcoders();
    const ending = new AbortController();
    const squeezed = squeeze(pid!, ending.signal);
    try {
      await until('a faster preset', async () => (await channel()).encoding?.effort !== 'full', 30_000);
      await until('half of the pictures', async () => (await channel()).encoding?.effort === 'halfRate', 30_000);
      const before = { video: video.packets, sound: sound.packets };
      const hasMore = () => video.packets > before.video + 100 && sound.packets > before.sound + SQUEEZED_PACKETS;
      await until('packets', hasMore, 40_000);
      assert.ok(sound.ageMs < MOST_AGE_MS, `sound is ${sound.ageMs} ms behind`);
      assert.ok(video.ageMs < MOST_AGE_MS, `pictures are ${video.ageMs} ms behind`);
    } finally {
      ending.abort();
      await squeezed;
    }
    assert.equal(await server.metric('dialcast_encoder_effort_steps'), 2);
    assert.equal((await channel()).outage, null);
    const efforts = server.log
      .filter(({ msg }) => msg.startsWith('encoders do not keep up'))
      .map(({ effort }) => effort);
    assert.deepEqual(efforts, ['fasterPreset', 'halfRate']);
  });
});
