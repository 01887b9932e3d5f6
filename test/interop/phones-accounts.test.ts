import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AccountsServer, REALM } from './support/accounts-server.ts';
import { Baresip, missingBaresip } from './support/baresip.ts';
import { Linphone } from './support/linphone.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { until } from './support/until.ts';

const PASSWORDS = { ann: 'secret' };

describe('linphonec, which has an account,', { skip: OUTSIDE || missing('linphonec', 'openssl') }, () => {
  /** It takes the first challenge that it knows, as RFC 8760 §2.4 would have it. */
  for (const [transport, algorithms] of [
    ['udp', ['SHA-256']],
    ['tls', ['SHA-256', 'MD5']],
  ] as const) {
    const name = `registers and calls over ${transport} with SHA-256 where ${algorithms.join(' and ')} may be used`;
    test(name, { timeout: 60_000 }, async t => {
      const server = await AccountsServer.start({ passwords: PASSWORDS, algorithms });
      t.after(() => server.stop());
      const phone = await Linphone.start(server.authority);
      t.after(() => phone.stop());
      const address = `${HOST}:${server.ports[transport]};transport=${transport}`;
      await phone.type(`register sip:ann@${REALM} sip:${address} secret`);
      await until('its registration', async () => (await server.registrations()) === 1, 20_000);
      assert.deepEqual([...server.tried], ['SHA-256']);

      await phone.type(`call sip:clock@${address}`, /Call \d+ with \S+ connected/);
      await phone.logged(/First video frame decoded successfully/);
      assert.deepEqual(await theCall(server), ['clock', transport]);
      assert.deepEqual([...server.tried], ['SHA-256']);
      await phone.type('terminate', /Call \d+ with \S+ ended/);
      await until('no call', async () => (await server.calls()).length === 0);
    });
  }

  test('does not register with a wrong password', { timeout: 60_000 }, async t => {
    const server = await AccountsServer.start({ passwords: PASSWORDS });
    t.after(() => server.stop());
    const phone = await Linphone.start();
    t.after(() => phone.stop());
    await phone.type(`register sip:ann@${REALM} sip:${HOST}:${server.ports.udp} Secret`);
    await phone.logged(/^Authorization: +Digest [\s\S]*^SIP\/2\.0 401 /m);
    assert.deepEqual([...server.tried, await server.registrations()], ['SHA-256', 0]);
  });
});

describe('baresip, which has an account,', { skip: OUTSIDE || missingBaresip('VP8') || missing('openssl') }, () => {
  // It knows no other, and gives up when there is another one beside it.
  test('registers and calls with MD5 where nothing else may be used', { timeout: 60_000 }, async t => {
    const server = await AccountsServer.start({ passwords: PASSWORDS, algorithms: ['MD5'] });
    t.after(() => server.stop());
    const way = `sip:${HOST}:${server.ports.tcp};transport=tcp`;
    const account = { uri: `sip:ann@${REALM}`, password: 'secret', server: way };
    const phone = await Baresip.start({ audio: 'PCMA', video: { codec: 'VP8' }, account });
    t.after(() => phone.stop());
    await until('its registration', async () => (await server.registrations()) === 1, 20_000);
    await phone.dial(`sip:clock@${REALM}`);
    assert.deepEqual(await theCall(server), ['clock', 'tcp']);
    await until('pictures', async () => (await phone.pictures()).count > 0, 20_000);
    assert.deepEqual([...server.tried], ['MD5']);
    await phone.command('hangup');
    await until('no call', async () => (await server.calls()).length === 0);
  });
});

async function theCall(server: AccountsServer): Promise<readonly [channel: string, transport: string]> {
  const calls = await server.calls();
  assert.equal(calls.length, 1);
  return [calls[0]!.channel, calls[0]!.transport];
}
