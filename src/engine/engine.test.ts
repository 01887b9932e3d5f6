import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSocket, Receiver } from '../../test/support/loopback.ts';
import { createLogger } from '../observe/index.ts';
import { channelToken, type EngineMessage, encodeFrame, encodeMessage, WireReader } from '../transcoder/wire.ts';
import { Engine, type EngineEvent } from './index.ts';

const INFO = { video: null, audio: { sampleRateHz: 48_000, channels: 2 } };

/** An engine on the loopback interface, and the events that it reported. */
async function start(t: TestContext, port = 0) {
  const events: EngineEvent[] = [];
  let changed = Promise.withResolvers<void>();
  const { engine, port: bound } = await Engine.start({
    media: { addresses: ['127.0.0.1'], port, rtpPorts: { first: 45_000, last: 45_199 } },
    log: createLogger({ level: 'silent' }),
    onEvent: event => {
      events.push(event);
      changed.resolve();
      changed = Promise.withResolvers();
    },
    onFailed: error => assert.fail(error),
  });
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= engine.close();
    return closing;
  };
  t.after(close);
  const event = async () => {
    while (events.length === 0) await changed.promise;
    return events.shift()!;
  };
  return { engine, port: bound, event, close };
}

/** A transcoder of the channel `clock`. */
async function connectTranscoder(t: TestContext, { socketPath, secret }: Engine['transcoders']) {
  const socket = connect(socketPath);
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(encodeMessage({ type: 'hello', channel: 'clock', token: channelToken(secret, 'clock'), pid: 1 }));
  const reader = new WireReader<EngineMessage>();
  const waiting: EngineMessage[] = [];
  const told = async () => {
    while (waiting.length === 0) waiting.push(...reader.push(((await once(socket, 'data')) as [Buffer])[0]).messages);
    return waiting.shift()!;
  };
  const frame = (id: number, data: string) => {
    const message = { type: 'frame', id, keyFrame: true, ptsUs: 1_000_000n, data: Buffer.from(data) } as const;
    for (const part of encodeFrame(message)) socket.write(part);
  };
  return { socket, told, frame };
}

describe('the engine', { timeout: 20_000 }, () => {
  it("carries a transcoder's frames to a phone, once its ACK came, until it is removed", async t => {
    const { engine, event } = await start(t);
    const phone = await Receiver.open(t);
    const { remotePort } = phone.path;
    const feed = engine.openFeed('clock', { kind: 'audio', codec: 'pcmu' });
    const transcoder = await connectTranscoder(t, engine.transcoders);
    assert.deepEqual(await transcoder.told(), { type: 'start', id: feed, rendition: { kind: 'audio', codec: 'pcmu' } });
    transcoder.socket.write(encodeMessage({ type: 'source', state: 'open', info: INFO }));
    assert.deepEqual(await event(), { type: 'sourceOpen', channel: 'clock', info: INFO });
    const remote = { address: '127.0.0.1', port: remotePort, rtcpPort: remotePort, trusted: false };
    const local = await engine.addViewer({
      id: 'a',
      transport: { kind: 'rtp', localAddress: '127.0.0.1', peerAddress: '127.0.0.1' },
      streams: [
        {
          kind: 'audio',
          payloadType: 0,
          clockRateHz: 8_000,
          feed,
          nack: false,
          asksForKeyFrames: false,
          rtcpMux: true,
          remote,
        },
      ],
    });
    transcoder.frame(feed, 'before the ACK');
    // Answered behind the frame: what the frame did is done.
    transcoder.socket.write(encodeMessage({ type: 'source', state: 'open', info: INFO }));
    await event();
    await engine.confirmViewer('a');
    assert.deepEqual(await event(), { type: 'viewerConnected', id: 'a' });
    transcoder.frame(feed, 'after the ACK');
    const [packet] = await phone.take(1);
    assert.equal(packet?.toString('latin1', 12), 'after the ACK');
    assert.equal(packet.readUInt32BE(8), local.streams[0]?.ssrc);
    const { packetsSent, viewers, feeds, frames } = await engine.stats();
    assert.deepEqual([packetsSent, viewers], [1, { webrtc: 0, rtp: 1 }]);
    assert.deepEqual(feeds, [{ channel: 'clock', codec: 'pcmu', viewers: 1, passedThrough: false }]);
    assert.deepEqual(frames, [{ channel: 'clock', codec: 'pcmu', frames: 2 }]);
    await engine.removeViewer('a');
    engine.closeFeed(feed);
    assert.deepEqual(await transcoder.told(), { type: 'stop', id: feed });
    assert.equal((await engine.stats()).viewers.rtp, 0);
  });

  it('tells why a source failed or is out, and that it ended', async t => {
    const { engine, event } = await start(t);
    const { socket } = await connectTranscoder(t, engine.transcoders);
    socket.write(encodeMessage({ type: 'source', state: 'failed', reason: 'no such file' }));
    assert.deepEqual(await event(), { type: 'sourceFailed', channel: 'clock', reason: 'no such file' });
    socket.write(encodeMessage({ type: 'source', state: 'out', reason: 'broken pipe' }));
    assert.deepEqual(await event(), { type: 'sourceOut', channel: 'clock', reason: 'broken pipe' });
    socket.write(encodeMessage({ type: 'source', state: 'ended' }));
    assert.deepEqual(await event(), { type: 'sourceEnded', channel: 'clock' });
  });

  it('announces to a browser the port that it opened', async t => {
    const { engine, port } = await start(t);
    const local = await engine.addViewer({
      id: 'a',
      transport: { kind: 'webrtc', iceUfrag: 'theirs', icePwd: 'their/password+of+24/chr', fingerprints: [] },
      streams: [
        {
          kind: 'audio',
          payloadType: 111,
          clockRateHz: 48_000,
          feed: null,
          nack: false,
          asksForKeyFrames: false,
          rtcpMux: true,
          remote: null,
        },
      ],
    });
    assert.equal(local.transport, 'webrtc');
    assert.deepEqual(local.candidates, [{ address: '127.0.0.1', port }]);
  });

  it('says so when its port is taken, and leaves nothing behind', async t => {
    const { port } = openSocket(t);
    await assert.rejects(start(t, port), {
      code: 'LISTEN_FAILED',
      message: new RegExp(`media\\.port: UDP port ${port}: bind: Address already in use`),
    });
  });

  it('says so when the add-on is not built', async t => {
    // The sources alone, in a folder where nothing was built.
    const folder = mkdtempSync(join(tmpdir(), 'engine-'));
    t.after(() => rmSync(folder, { recursive: true }));
    cpSync(fileURLToPath(new URL('..', import.meta.url)), join(folder, 'src'), { recursive: true });
    const unbuilt = (await import(join(folder, 'src', 'engine', 'index.ts'))) as { Engine: typeof Engine };
    const failures: string[] = [];
    const starting = unbuilt.Engine.start({
      media: { addresses: ['127.0.0.1'], port: 0, rtpPorts: { first: 45_000, last: 45_199 } },
      log: createLogger({ level: 'silent' }),
      onEvent: () => undefined,
      onFailed: ({ code }) => failures.push(code),
    });
    await assert.rejects(starting, { code: 'NATIVE_MISSING' });
    assert.deepEqual(failures, ['NATIVE_MISSING']);
  });

  it('says so when no port is left for a phone', async t => {
    const { engine } = await start(t);
    const remote = { address: '127.0.0.1', port: 9, rtcpPort: 9, trusted: false };
    const add = (id: number) =>
      engine.addViewer({
        id: `${id}`,
        transport: { kind: 'rtp', localAddress: '127.0.0.1', peerAddress: '127.0.0.1' },
        streams: [
          {
            kind: 'audio',
            payloadType: 0,
            clockRateHz: 8_000,
            feed: null,
            nack: false,
            asksForKeyFrames: false,
            rtcpMux: true,
            remote,
          },
        ],
      });
    const results = await Promise.allSettled(Array.from({ length: 101 }, (_, id) => add(id)));
    const refused = results.filter(({ status }) => status === 'rejected');
    assert.ok(refused.length >= 1);
    assert.match(String((refused[0] as PromiseRejectedResult).reason), /RTP_PORTS_EXHAUSTED/);
  });

  it('lets only its owner at its socket, and takes it away when it closes', async t => {
    const { engine, close } = await start(t);
    const { socketPath, secret } = engine.transcoders;
    assert.match(secret, /^[0-9a-f]{64}$/);
    assert.ok(existsSync(socketPath));
    await close();
    assert.ok(!existsSync(dirname(socketPath)));
  });
});
