import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { Certificates } from '../support/certificates.ts';
import { Baresip, missingBaresip } from './support/baresip.ts';
import { Kamailio } from './support/kamailio.ts';
import { Machine } from './support/machine.ts';
import { HOST, OUTSIDE, PROXY, RELAY } from './support/network.ts';
import { missing } from './support/programs.ts';
import { Rtpengine } from './support/rtpengine.ts';
import { DialcastServer } from './support/server.ts';
import { checkAge } from './support/testcard-checks.ts';
import { until } from './support/until.ts';

interface Calls {
  calls: { channel: string; transport: string }[];
}

const ACCOUNT = { user: 'tv-clock', password: 'secret', channel: 'clock' };
const CHANNEL = `sip:tv-clock@${PROXY}:5060`;
const PHONE = { audio: 'PCMA', video: { codec: 'H264' } } as const;

const certificates = new Certificates();

/** Without a port of its own for connections: calls arrive on those that Dialcast opened. */
const SIP = { udp: 0, tcp: null };

describe('Kamailio over connections that Dialcast opens', {
  skip: OUTSIDE || missing('kamailio', 'rtpengine', 'ffmpeg', 'openssl') || missingBaresip('H264'),
}, () => {
  let authority: string;
  let machines: Machine[];
  let rtpengine: Rtpengine;
  let kamailio: Kamailio;
  let startKamailio: () => Promise<void>;
  let server: DialcastServer | undefined;
  const phones: Baresip[] = [];

  before(async () => {
    authority = certificates.authority();
    const pair = certificates.issue('kamailio', [PROXY], 'authority');
    machines = [await Machine.start(RELAY), await Machine.start(PROXY)];
    rtpengine = await Rtpengine.start(machines[0]!);
    startKamailio = async () => {
      kamailio = await Kamailio.start(machines[1]!, rtpengine.control, pair);
    };
    await startKamailio();
  });
  afterEach(async () => {
    for (const phone of phones.splice(0)) await phone.stop();
    await server?.stop();
    server = undefined;
  });
  after(async () => {
    await kamailio?.stop();
    await rtpengine?.stop();
    for (const machine of machines ?? []) await machine.stop();
    certificates.remove();
  });

  const start = async (platform: object) => {
    server = await DialcastServer.start({
      sip: SIP,
      trusted: [PROXY, RELAY],
      platforms: [{ ...ACCOUNT, ...platform }],
    });
    return server;
  };
  const newPhone = async () => {
    const phone = await Baresip.start(PHONE);
    phones.push(phone);
    return phone;
  };
  const registrations = (dialcast: DialcastServer) =>
    dialcast.log.filter(({ msg }) => msg === 'registered with a platform').length;

  for (const [transport, port] of [
    ['tcp', 5060],
    ['tls', 5061],
  ] as const) {
    describe(`over ${transport}`, () => {
      const registered = async () => {
        const ca = transport === 'tls' ? { ca: authority } : {};
        const dialcast = await start({ registrar: `${PROXY}:${port}`, transport, ...ca });
        await until('a registration', () => registrations(dialcast) === 1);
        return dialcast;
      };

      test('brings a phone to the channel; either side hangs up', { timeout: 60_000 }, async t => {
        const dialcast = await registered();
        const phone = await newPhone();
        for (const hangUp of [() => phone.command('hangup'), () => dialcast.stop()]) {
          await phone.dial(CHANNEL);
          await until('pictures', async () => (await phone.pictures()).count >= 30, 20_000);
          checkAge(await phone.snapshot(), t);
          const { calls } = await dialcast.api<Calls>('/api/calls');
          assert.deepEqual(
            calls.map(each => [each.channel, each.transport]),
            [['clock', transport]],
          );
          const since = phone.events.length;
          await hangUp();
          await phone.event('CALL_CLOSED', since);
          if (dialcast.process.exitCode !== null) continue;
          await until('no viewer', async () => (await dialcast.metric('dialcast_viewers')) === 0);
        }
      });

      test('that ends and comes back has its channel again, and our BYE a way', { timeout: 90_000 }, async () => {
        const dialcast = await registered();
        const phone = await newPhone();
        await phone.dial(CHANNEL);
        await kamailio.stop();
        const line = await dialcast.logged(({ msg }) => msg === 'not registered with a platform');
        assert.match(String(line.reason), /the connection was closed|ECONNREFUSED/);
        await startKamailio();
        await until('another registration', () => registrations(dialcast) === 2, 30_000);
        // A new call arrives over the new connection.
        const second = await newPhone();
        await second.dial(CHANNEL);
        // The old one lost its connection, not its media; its BYE goes through Kamailio as well.
        const { calls } = await dialcast.api<Calls>('/api/calls');
        assert.equal(calls.length, 2);
        const since = phone.events.length;
        await dialcast.stop();
        await Promise.all([phone.event('CALL_CLOSED', since), second.event('CALL_CLOSED')]);
      });
    });
  }

  test('whose certificate nobody vouches for is not registered with', { timeout: 30_000 }, async () => {
    const dialcast = await start({ registrar: `${PROXY}:5061`, transport: 'tls' });
    const line = await dialcast.logged(({ msg }) => msg === 'not registered with a platform');
    assert.match(String(line.reason), /verify|certificate/);
  });
});

test('our BYE reaches a phone whose connection is gone', {
  skip: OUTSIDE || missing('ss') || missingBaresip('H264'),
  timeout: 60_000,
}, async t => {
  const server = await DialcastServer.start();
  t.after(() => server.stop());
  const phone = await Baresip.start(PHONE);
  t.after(() => phone.stop());
  const { tcp } = server.ports;
  await phone.dial(`sip:clock@${HOST}:${tcp};transport=tcp`);
  // The system ends it for both, and neither has said a word.
  execFileSync('ss', ['-K', '-t', 'state', 'established', `( sport = :${tcp} )`]);
  // Its answer comes after the server has seen the loss.
  const { calls } = await server.api<Calls>('/api/calls');
  assert.deepEqual(
    calls.map(({ transport }) => transport),
    ['tcp'],
  );
  const since = phone.events.length;
  await server.stop();
  await phone.event('CALL_CLOSED', since);
});
