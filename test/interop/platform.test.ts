import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Baresip, missingBaresip } from './support/baresip.ts';
import { Kamailio } from './support/kamailio.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { timeOfPicture } from './support/testcard-files.ts';
import { until } from './support/until.ts';

interface Platforms {
  platforms: { registrar: string; user: string; channel: string; state: string; reason: string | null }[];
}

interface Calls {
  calls: { channel: string; transport: string; codecs: string[] }[];
}

const PORT = 5070;
const PORTS = { udp: PORT, webSocket: 5071, rtpengine: 5072 };
const ACCOUNT = { registrar: `${HOST}:${PORT}`, user: 'tv-clock', password: 'secret', channel: 'clock' };

describe('Kamailio', { skip: OUTSIDE || missing('kamailio', 'ffmpeg') || missingBaresip('H264') }, () => {
  let kamailio: Kamailio;
  let server: DialcastServer | undefined;
  let phone: Baresip | undefined;

  before(async () => {
    kamailio = await Kamailio.start(PORTS);
  });
  afterEach(async () => {
    await phone?.stop();
    await server?.stop();
    phone = undefined;
    server = undefined;
  });
  after(() => kamailio?.stop());

  async function registered(): Promise<DialcastServer> {
    server = await DialcastServer.start({ platforms: [ACCOUNT] });
    await server.logged(({ msg }) => msg === 'registered with a platform');
    return server;
  }

  test('takes a channel for its subscriber, and lets it go', { timeout: 30_000 }, async () => {
    const { registrar, user, channel } = ACCOUNT;
    const dialcast = await registered();
    assert.deepEqual((await dialcast.api<Platforms>('/api/platforms')).platforms, [
      { registrar, user, channel, state: 'registered', reason: null },
    ]);
    assert.equal(await dialcast.metric('dialcast_platform_registrations', { state: 'registered' }), 1);
    assert.equal(await dialcast.stop(), 0);
    phone = await Baresip.start({ audio: 'PCMA', video: { codec: 'H264' } });
    await phone.command('dial', `sip:${user}@${HOST}:${PORT}`);
    assert.match((await phone.event('CALL_CLOSED', 0)).param ?? '', /404/);
  });

  test('does not take a wrong password, and the log says so without it', { timeout: 30_000 }, async () => {
    server = await DialcastServer.start({ platforms: [{ ...ACCOUNT, password: 'a wrong one' }] });
    const line = await server.logged(({ msg }) => msg === 'not registered with a platform');
    assert.deepEqual([line.level, line.reason, line.user], ['warn', 'user or password is wrong', 'tv-clock']);
    assert.ok(!JSON.stringify(server.log).includes('a wrong one'));
  });

  test('brings a phone to the channel; either side hangs up', { timeout: 60_000 }, async t => {
    const dialcast = await registered();
    phone = await Baresip.start({ audio: 'PCMA', video: { codec: 'H264' } });
    for (const hangUp of [() => phone!.command('hangup'), () => dialcast.stop()]) {
      await phone.dial(`sip:${ACCOUNT.user}@${HOST}:${PORT}`);
      await until('pictures', async () => (await phone!.pictures()).count >= 30, 20_000);
      const ageMs = Date.now() - timeOfPicture(await phone.snapshot());
      t.diagnostic(`through Kamailio the picture on the phone's screen was ${ageMs} ms old`);
      assert.ok(ageMs >= 0 && ageMs < 5_000);
      const { calls } = await dialcast.api<Calls>('/api/calls');
      assert.deepEqual(
        calls.map(({ channel, transport, codecs }) => [channel, transport, codecs]),
        [['clock', 'udp', ['h264', 'pcma']]],
      );
      const since = phone.events.length;
      await hangUp();
      await phone.event('CALL_CLOSED', since);
      if (dialcast.process.exitCode !== null) continue;
      await until('no viewer', async () => (await dialcast.metric('dialcast_viewers')) === 0);
    }
  });
});
