import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OUTSIDE } from './support/network.ts';
import { RtpReceiver } from './support/rtp-receiver.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

const LADDER = [
  { width: 1280, height: 720, bitrateKbps: 2500 },
  { width: 640, height: 360, bitrateKbps: 800 },
  { width: 320, height: 180, bitrateKbps: 250 },
];
const LEVEL_31 = '42e01f';
const LEVEL_13 = '42e00d';

describe('a ladder of three rungs, in two codecs', { skip: OUTSIDE }, () => {
  let server: DialcastServer;
  let sip: SipClient;
  const receivers: RtpReceiver[] = [];

  before(async () => {
    const channels = [{ number: 101, name: 'clock', title: 'Clock', source: 'testcard:', ladder: LADDER }];
    server = await DialcastServer.start({ channels });
    sip = await SipClient.open('udp', server.ports.udp!);
  });
  after(async () => {
    sip?.close();
    for (const receiver of receivers) receiver.close();
    await server?.stop();
  });

  const watch = async (profileLevelId: string) => {
    const receiver = await RtpReceiver.open('127.0.0.1', profileLevelId);
    receivers.push(receiver);
    await sip.call('clock', receiver.offer);
    return receiver;
  };
  const encoders = () => server.metric('dialcast_renditions_active');

  test('has two encoders for viewers on two of the six', { timeout: 60_000 }, async () => {
    const [large, alsoLarge, small] = [await watch(LEVEL_31), await watch(LEVEL_31), await watch(LEVEL_13)];
    await until('pictures', () => [large, alsoLarge, small].every(({ packets }) => packets > 50), 20_000);
    assert.equal(await encoders(), 2);
    assert.deepEqual([large.levelIdc, alsoLarge.levelIdc], [31, 31]);
    assert.ok(small.levelIdc! <= 13, `level ${small.levelIdc} for a decoder of level 13`);
  });

  test('has a third for whoever takes VP8 alone, and not for long after him', { timeout: 60_000 }, async () => {
    const receiver = await RtpReceiver.open();
    receivers.push(receiver);
    const offer = receiver.offer.replace('H264', 'VP8').replace(/a=fmtp.*\r\n/, '');
    const call = await sip.call('clock', offer);
    await until('pictures', () => receiver.packets > 50, 20_000);
    assert.equal(await encoders(), 3);
    await call.hangUp();
    await until('two encoders', async () => (await encoders()) === 2, 10_000);
  });
});
