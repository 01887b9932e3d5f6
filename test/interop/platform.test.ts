import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Baresip, missingBaresip } from './support/baresip.ts';
import { Kamailio } from './support/kamailio.ts';
import { Machine } from './support/machine.ts';
import { HOST, OUTSIDE, PROXY, RELAY } from './support/network.ts';
import { missing } from './support/programs.ts';
import { Rtpengine } from './support/rtpengine.ts';
import { DialcastServer } from './support/server.ts';
import { runSipp, type SippResult } from './support/sipp.ts';
import { checkAge, checkBeeps } from './support/testcard-checks.ts';
import { until } from './support/until.ts';

interface Platforms {
  platforms: { registrar: string; user: string; channel: string; state: string; reason: string | null }[];
}

interface Calls {
  calls: { channel: string; transport: string; codecs: string[]; held: boolean }[];
}

const ACCOUNT = { registrar: `${PROXY}:5060`, user: 'tv-clock', password: 'secret', channel: 'clock' };
const CHANNEL = `sip:tv-clock@${PROXY}:5060`;
const VIEWER = { uri: `sip:viewer@${PROXY}:5060`, password: 'secret', server: `sip:${PROXY}:5060;lr` };
const PHONE = { audio: 'PCMA', video: { codec: 'H264' } } as const;
/** A vanished phone is missed after half a minute. */
const MOST_LINGERING_MS = 60_000;

describe('Kamailio', {
  skip: OUTSIDE || missing('kamailio', 'kamcmd', 'rtpengine', 'sipp', 'ffmpeg') || missingBaresip('H264'),
}, () => {
  let machines: Machine[];
  let rtpengine: Rtpengine;
  let kamailio: Kamailio;
  /** Has a call of SIPp's from the start, since half of the shortest session is 45 s: it is refreshed meanwhile. */
  let other: DialcastServer;
  let refreshing: Promise<SippResult>;
  /** In rtpengine when a test begins. */
  let others: readonly string[];
  let server: DialcastServer | undefined;
  let phone: Baresip | undefined;

  before(async () => {
    machines = [await Machine.start(RELAY), await Machine.start(PROXY)];
    rtpengine = await Rtpengine.start(machines[0]!);
    kamailio = await Kamailio.start(machines[1]!, rtpengine.control);
    other = await register({ platforms: [{ ...ACCOUNT, user: 'clock' }] });
    refreshing = runSipp({
      scenario: 'refresh',
      transport: 'udp',
      port: 5060,
      addresses: { server: PROXY, own: HOST },
      target: 'clock',
      calls: 1,
      callsPerSecond: 1,
    });
  });
  beforeEach(async () => {
    others = await rtpengine.calls();
  });
  afterEach(async () => {
    await phone?.stop();
    await server?.stop();
    phone = undefined;
    server = undefined;
  });
  after(async () => {
    await other?.stop();
    await kamailio?.stop();
    await rtpengine?.stop();
    for (const machine of machines ?? []) await machine.stop();
  });

  async function register(config: object): Promise<DialcastServer> {
    const dialcast = await DialcastServer.start({ trusted: [PROXY, RELAY], ...config });
    await dialcast.logged(({ msg }) => msg === 'registered with a platform');
    return dialcast;
  }

  async function registered(): Promise<DialcastServer> {
    server = await register({ platforms: [ACCOUNT] });
    return server;
  }

  async function noCallIsLeft(dialcast: DialcastServer, timeoutMs = 10_000): Promise<void> {
    await until('no call', async () => (await dialcast.api<Calls>('/api/calls')).calls.length === 0, timeoutMs);
    await until('no viewer', async () => (await dialcast.metric('dialcast_viewers')) === 0);
    await noRelayIsLeft();
  }

  const noRelayIsLeft = () =>
    until('nothing in rtpengine', async () => (await rtpengine.calls()).every(call => others.includes(call)));

  /** They stay for some seconds, in case a request comes again. */
  const noTransactionIsLeft = () => until('no transaction', () => kamailio.transactions() === 0, 40_000);

  test('takes a channel for its subscriber, and lets it go', { timeout: 30_000 }, async () => {
    const { registrar, user, channel } = ACCOUNT;
    const dialcast = await registered();
    assert.deepEqual((await dialcast.api<Platforms>('/api/platforms')).platforms, [
      { registrar, user, channel, state: 'registered', reason: null },
    ]);
    assert.equal(await dialcast.metric('dialcast_platform_registrations', { state: 'registered' }), 1);
    assert.equal(await dialcast.stop(), 0);
    phone = await Baresip.start(PHONE);
    await phone.command('dial', CHANNEL);
    assert.match((await phone.event('CALL_CLOSED', 0)).param ?? '', /404/);
  });

  test('does not take a wrong password, and the log says so without it', { timeout: 30_000 }, async () => {
    server = await DialcastServer.start({ platforms: [{ ...ACCOUNT, password: 'a wrong one' }] });
    const line = await server.logged(({ msg }) => msg === 'not registered with a platform');
    assert.deepEqual([line.level, line.reason, line.user], ['warn', 'user or password is wrong', 'tv-clock']);
    assert.ok(!JSON.stringify(server.log).includes('a wrong one'));
  });

  test('brings a phone to the channel, with picture and sound; either side hangs up', {
    timeout: 90_000,
  }, async t => {
    const dialcast = await registered();
    phone = await Baresip.start(PHONE);
    await phone.dial(CHANNEL);
    await phone.record();
    await until('pictures', async () => (await phone!.pictures()).count >= 100, 20_000);
    checkAge(await phone.snapshot(), t);
    const { calls } = await dialcast.api<Calls>('/api/calls');
    assert.deepEqual(
      calls.map(({ channel, transport, codecs }) => [channel, transport, codecs]),
      [['clock', 'udp', ['h264', 'pcma']]],
    );
    const since = phone.events.length;
    await phone.command('hangup');
    await phone.event('CALL_CLOSED', since);
    await noCallIsLeft(dialcast);
    await noTransactionIsLeft();
    checkBeeps(phone.heard, t);

    await phone.dial(CHANNEL);
    const again = phone.events.length;
    assert.equal(await dialcast.stop(), 0);
    await phone.event('CALL_CLOSED', again);
    await noRelayIsLeft();
    await noTransactionIsLeft();
  });

  test('has a phone hand the channel on to one of its subscribers, whom we call through it', {
    timeout: 60_000,
  }, async t => {
    const dialcast = await registered();
    const subscriber = await Baresip.start({ audio: 'PCMA', video: { codec: 'H264', modes: true }, account: VIEWER });
    t.after(() => subscriber.stop());
    await until('a registration', () => subscriber.output.includes('200 OK () [1 binding]'));
    phone = await Baresip.start(PHONE);
    await phone.dial(CHANNEL);
    await until('pictures', async () => (await phone!.pictures()).count >= 10, 20_000);
    await phone.command('transfer', `sip:viewer@${PROXY}`);
    await subscriber.event('CALL_INCOMING');
    await subscriber.command('accept');
    await phone.event('CALL_CLOSED');
    await until('pictures', async () => (await subscriber.pictures()).count >= 50, 20_000);
    assert.equal((await dialcast.api<Calls>('/api/calls')).calls.length, 1);
    await subscriber.command('hangup');
    await noCallIsLeft(dialcast);
    await noRelayIsLeft();
    await noTransactionIsLeft();
  });

  test('as outbound proxy has every request of both sides in the call pass through it', {
    timeout: 60_000,
  }, async () => {
    const dialcast = await registered();
    // By the server's own address, of which Kamailio knows nothing.
    const uri = `sip:clock@${HOST}:${dialcast.ports.udp}`;
    const held = async () => (await dialcast.api<Calls>('/api/calls')).calls[0]?.held;
    phone = await Baresip.start({ ...PHONE, account: VIEWER });
    const before = kamailio.requestsInDialogs.length;
    const passed = () => kamailio.requestsInDialogs.slice(before);
    const ours = 'from 198.51.100.1';

    await phone.dial(uri);
    await until('pictures', async () => (await phone!.pictures()).count >= 10, 20_000);
    await phone.command('hold');
    await until('a held call', held);
    const { count } = await phone.pictures();
    await phone.command('resume');
    await until('a resumed call', async () => (await held()) === false);
    await until('pictures again', async () => (await phone!.pictures()).count >= count + 30);
    await phone.command('hangup');
    await noCallIsLeft(dialcast);
    await noTransactionIsLeft();
    assert.deepEqual(
      passed(),
      ['ACK', 'INVITE', 'ACK', 'INVITE', 'ACK', 'BYE'].map(method => `${method} ${ours}`),
    );

    await phone.dial(uri);
    const since = phone.events.length;
    assert.equal(await dialcast.stop(), 0);
    await phone.event('CALL_CLOSED', since);
    assert.deepEqual(passed().slice(6), [`ACK ${ours}`, `BYE ${ours}`]);
  });

  test('lets no stranger call elsewhere through it', { timeout: 30_000 }, async () => {
    const dialcast = await registered();
    phone = await Baresip.start({ ...PHONE, account: { ...VIEWER, password: 'a wrong one' } });
    await phone.command('dial', `sip:clock@${HOST}:${dialcast.ports.udp}`);
    assert.match((await phone.event('CALL_CLOSED')).param ?? '', /407|401|Auth/i);
    assert.equal((await dialcast.api<Calls>('/api/calls')).calls.length, 0);
  });

  test('keeps nothing of a phone that is killed', { timeout: 90_000 }, async t => {
    const dialcast = await registered();
    phone = await Baresip.start(PHONE);
    await phone.dial(CHANNEL);
    const reports = () => phone!.events.filter(event => event.type === 'CALL_RTCP');
    // Two each second are ours, two in five seconds are the phone's: by now we know that it makes reports.
    await until('some reports', () => reports().length >= 24, 20_000);
    await phone.stop();
    const killedMs = performance.now();
    await noCallIsLeft(dialcast, MOST_LINGERING_MS);
    t.diagnostic(`gone ${((performance.now() - killedMs) / 1000).toFixed(0)} s after the phone`);
  });

  test('has our refresh of a session pass through it', { timeout: 90_000 }, async () => {
    const { exitCode, errors } = await refreshing;
    assert.equal(exitCode, 0, errors);
    assert.ok(kamailio.requestsInDialogs.includes('UPDATE from 198.51.100.1'));
    others = [];
    await noCallIsLeft(other);
  });
});
