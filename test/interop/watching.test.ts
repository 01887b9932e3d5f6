import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Baresip, missingBaresip } from './support/baresip.ts';
import { Linphone } from './support/linphone.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { until } from './support/until.ts';

/** Phones watch two channels; one of them turns out not to work, when the first viewer calls it. */
describe('a phone that watches channels', { skip: OUTSIDE || missingBaresip() }, () => {
  let server: DialcastServer;
  let folder: string;
  let viewer: Baresip;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-broken-'));
    const film = join(folder, 'broken.mp4');
    writeFileSync(film, 'no film');
    const channels = [
      { number: 101, name: 'clock', title: 'Clock', source: 'testcard:' },
      { number: 102, name: 'broken', title: 'Broken', source: `file:${film}` },
      { number: 103, name: 'wrong', title: 'Wrong', source: `file:${film}` },
    ];
    server = await DialcastServer.start({ channels });
    viewer = await Baresip.start({ audio: 'PCMA', video: null });
  });
  after(async () => {
    await viewer?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const uri = (channel: string) => `sip:${channel}@${HOST}:${server.ports.udp}`;
  const callInVain = async (channel: string) => {
    const since = viewer.events.length;
    await viewer.command('dial', uri(channel));
    await viewer.event('CALL_CLOSED', since);
  };

  test('as baresip shows which are to be had', { timeout: 60_000 }, async () => {
    const phone = await Baresip.start({ audio: 'PCMA', video: null, contacts: [uri('clock'), uri('broken')] });
    const shows = async (channel: string, state: string) =>
      new RegExp(`${state}\\S* .*<sip:${channel}@`).test(await phone.command('contacts'));
    try {
      for (const channel of ['clock', 'broken']) await until('Online', () => shows(channel, 'Online'));
      await callInVain('broken');
      await until('Offline', () => shows('broken', 'Offline'));
      assert.ok(await shows('clock', 'Online'));
    } finally {
      await phone.stop();
    }
  });

  test('as linphonec hears which are to be had', { skip: missing('linphonec'), timeout: 60_000 }, async () => {
    const phone = await Linphone.start();
    const hears = (channel: string, state: string) =>
      phone.logged(new RegExp(`<sip:${channel}@\\S+>\\] has presence \\[${state}\\]`));
    try {
      for (const channel of ['clock', 'wrong']) await phone.type(`friend add "${channel}" ${uri(channel)}`);
      for (const channel of ['clock', 'wrong']) await hears(channel, 'open');
      await callInVain('wrong');
      await hears('wrong', 'closed');
    } finally {
      await phone.stop();
    }
  });
});
