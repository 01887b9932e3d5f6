import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ffmpegDecoder } from './support/ffmpeg-decoder.ts';
import { OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
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

describe('a ladder of three rungs, in two codecs', { skip: OUTSIDE || missing('ffmpeg') }, () => {
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

  const watch = async (profileLevelId: string, mode: 0 | 1 = 1) => {
    const receiver = await RtpReceiver.open('127.0.0.1', profileLevelId, mode);
    receivers.push(receiver);
    return { receiver, call: await sip.call('clock', receiver.offer) };
  };
  /** Of pictures, as the transcoder counts those that it has; it says so once a second. */
  const encoders = () => server.metric('dialcast_encoders_active', { medium: 'video' });
  const untilEncoders = (count: number) => until(`${count} encoders`, async () => (await encoders()) === count, 20_000);
  /** So many more packets to each. */
  const untilPackets = async (count: number, watching: readonly RtpReceiver[]) => {
    const before = watching.map(({ packets }) => packets);
    await until('packets', () => watching.every(({ packets }, index) => packets >= before[index]! + count), 20_000);
  };

  test('has two encoders for viewers on two of the six', { timeout: 60_000 }, async () => {
    const watched = [await watch(LEVEL_31), await watch(LEVEL_31), await watch(LEVEL_13)];
    const [large, alsoLarge, small] = watched.map(({ receiver }) => receiver) as [
      RtpReceiver,
      RtpReceiver,
      RtpReceiver,
    ];
    await untilEncoders(2);
    for (let look = 0; look < 3; look++) {
      await untilPackets(50, [large, alsoLarge, small]);
      assert.equal(await encoders(), 2);
    }
    assert.deepEqual([large.levelIdc, alsoLarge.levelIdc], [31, 31]);
    assert.ok(small.levelIdc! <= 13, `level ${small.levelIdc} for a decoder of level 13`);
  });

  test('has a third for whoever takes VP8 alone, and not for long after him', { timeout: 60_000 }, async () => {
    const receiver = await RtpReceiver.open();
    receivers.push(receiver);
    const offer = receiver.offer.replace('H264', 'VP8').replace(/a=fmtp.*\r\n/, '');
    const call = await sip.call('clock', offer);
    await untilEncoders(3);
    await untilPackets(50, [receiver]);
    await call.hangUp();
    await untilEncoders(2);
  });

  test('has a small picture in slices that fit a packet for a phone that takes no more', {
    timeout: 60_000,
  }, async () => {
    const { receiver, call } = await watch(LEVEL_13, 0);
    const decoder = await ffmpegDecoder(60, `packetization-mode=0;profile-level-id=${LEVEL_13}`);
    receiver.forwardPort = decoder.port;
    assert.equal(await decoder.size, '320x180');
    assert.ok(receiver.levelIdc! <= 13, `level ${receiver.levelIdc}`);
    // RFC 6184 table 1: a single NAL unit.
    assert.ok(
      [...receiver.types].every(type => type >= 1 && type <= 23),
      `${[...receiver.types]}`,
    );
    assert.ok(receiver.mostBytes <= 1_200, `${receiver.mostBytes} octets`);
    await call.hangUp();
  });
});
