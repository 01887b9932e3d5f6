import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Baresip, type BaresipOptions, missingBaresip } from './support/baresip.ts';
import { Linphone } from './support/linphone.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { until } from './support/until.ts';

interface Listing {
  calls: { channel: string; answeredAtMs: number | null; codecs: string[] }[];
}

const MEDIA = { audio: 'PCMA', video: { codec: 'H264', modes: true } } as const;

describe('a channel handed on from phone to phone', { skip: OUTSIDE || missingBaresip('H264') }, () => {
  let server: DialcastServer;
  const phones: Baresip[] = [];

  before(async () => {
    server = await DialcastServer.start();
  });
  after(async () => {
    await Promise.all(phones.map(phone => phone.stop()));
    await server?.stop();
  });

  /** A phone that has registered as this user. */
  const registered = async (user: string): Promise<Baresip> => {
    const port = server.ports.udp;
    const account: BaresipOptions['account'] = {
      uri: `sip:${user}@${HOST}`,
      password: 'none',
      server: `sip:${HOST}:${port};transport=udp`,
    };
    const phone = await Baresip.start({ ...MEDIA, account });
    phones.push(phone);
    // It may have done so before anybody listened to its events.
    await until('a registration', () => phone.output.includes('[1 binding]'));
    return phone;
  };
  const calls = async () => (await server.api<Listing>('/api/calls')).calls;

  test('rings there, shows the picture, and the first phone hangs up', { timeout: 90_000 }, async () => {
    const [ann, bob] = [await registered('ann'), await registered('bob')];
    await ann.dial(`sip:clock@${HOST}`);
    await until('pictures', async () => (await ann.pictures()).count > 10, 20_000);

    await ann.command('transfer', `sip:bob@${HOST}`);
    await bob.event('CALL_INCOMING');
    assert.equal((await calls()).length, 2);
    await bob.command('accept');
    await bob.event('CALL_ESTABLISHED');
    // It has heard 200 and said BYE.
    await ann.event('CALL_CLOSED');
    await until('fifty pictures', async () => (await bob.pictures()).count >= 50, 20_000);
    const { width, height } = await bob.pictures();
    assert.deepEqual([width, height], [1280, 720]);
    const [left, ...more] = await calls();
    assert.deepEqual([left?.channel, left?.codecs, more], ['clock', ['h264', 'pcma'], []]);

    const since = bob.events.length;
    await bob.command('hangup');
    await bob.event('CALL_CLOSED', since);
    await until('no call', async () => (await calls()).length === 0);
    await until('no viewer', async () => (await server.metric('dialcast_viewers')) === 0);
  });

  for (const [name, to, reason] of [
    ['refuses', 'bob', '486 Rejected'],
    ['is not there', 'carl', '403 Nobody of ours'],
    ['is none of ours', '19005550100@gateway.example.com', '403 Nobody of ours'],
  ] as const) {
    test(`hears why when the other ${name}`, { timeout: 60_000 }, async () => {
      const [ann, bob] = phones as [Baresip, Baresip];
      const [since, asked] = [ann.events.length, bob.events.length];
      await ann.dial(`sip:clock@${HOST}`);
      await until('pictures', async () => (await ann.pictures()).count > 10, 20_000);
      await ann.command('transfer', to.includes('@') ? `sip:${to}` : `sip:${to}@${HOST}`);
      if (to === 'bob') {
        await bob.event('CALL_INCOMING', asked);
        await bob.command('hangup');
      }
      const { param } = await ann.event('TRANSFER_FAILED', since);
      assert.equal(param, reason);
      // This phone then hangs up by itself.
      await until('no call', async () => (await calls()).length === 0);
    });
  }

  test('by linphonec: it hears that the other took it, and hangs up', {
    skip: missing('linphonec'),
    timeout: 60_000,
  }, async t => {
    const [, bob] = phones as [Baresip, Baresip];
    const since = bob.events.length;
    const linphone = await Linphone.start();
    t.after(() => linphone.stop());
    await linphone.type(`call sip:clock@${HOST}:${server.ports.udp}`, /Call \d+ with \S+ connected/);
    await linphone.type(`transfer 1 sip:bob@${HOST}`);
    await bob.event('CALL_INCOMING', since);
    await bob.command('accept');
    await linphone.said(/Call \d+ with \S+ ended/);
    await until('fifty pictures', async () => (await bob.pictures()).count >= 50, 20_000);
    await bob.command('hangup');
    await until('no call', async () => (await calls()).length === 0);
  });
});
