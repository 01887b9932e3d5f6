import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { wave, writeMedia } from '../../test/support/media-files.ts';
import { createLogger } from '../observe/index.ts';
import { TranscoderSupervisor } from './index.ts';
import {
  channelToken,
  type EngineMessage,
  encodeMessage,
  type HardwareKind,
  type TranscoderMessage,
  WireReader,
} from './wire.ts';

/** The engine's end of a real transcoder process. */
class Engine {
  readonly #messages: TranscoderMessage[] = [];
  #socket: Socket | null = null;
  #changed = Promise.withResolvers<void>();

  static async start(
    t: TestContext,
    channel: { source: string; loop?: boolean },
    hardware: HardwareKind | null = null,
  ): Promise<Engine> {
    const engine = new Engine();
    const socketPath = writeMedia(t, 'engine.sock', '');
    rmSync(socketPath);
    const server = createServer(socket => engine.#take(socket));
    await new Promise<void>(resolve => server.listen(socketPath, resolve));
    const supervisor = new TranscoderSupervisor({
      log: createLogger({ level: 'silent' }),
      engine: { socketPath, secret: 'secret' },
      hardware,
      knownInfo: () => null,
      onFailed: () => undefined,
      nowMs: () => performance.now(),
    });
    t.after(async () => {
      await supervisor.close();
      server.close();
    });
    supervisor.start({ name: 'film', title: 'Film', loop: false, ...channel });
    return engine;
  }

  send(message: EngineMessage): void {
    this.#socket?.write(encodeMessage(message));
  }

  /** The next message of this type; what comes before it is passed over. */
  async next<Type extends TranscoderMessage['type']>(type: Type): Promise<Extract<TranscoderMessage, { type: Type }>> {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined) await this.#changed.promise;
      else if (message.type === type) return message as Extract<TranscoderMessage, { type: Type }>;
    }
  }

  #take(socket: Socket): void {
    const reader = new WireReader<TranscoderMessage>();
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', chunk => {
      this.#messages.push(...reader.push(chunk).messages);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
  }
}

describe('a transcoder process', { timeout: 60_000 }, () => {
  it('says who it is, opens its source, and makes what it is told', async t => {
    const engine = await Engine.start(t, { source: 'testcard:' });
    const { channel, token, pid } = await engine.next('hello');
    assert.deepEqual([channel, token], ['film', channelToken('secret', 'film')]);
    assert.notEqual(pid, process.pid);
    assert.deepEqual(await engine.next('source'), {
      type: 'source',
      state: 'open',
      info: {
        video: { width: 1280, height: 720, frameRate: 30 },
        audio: { sampleRateHz: 48_000, channels: 2 },
      },
    });
    engine.send({ type: 'start', id: 7, rendition: { kind: 'audio', codec: 'pcma' } });
    const [first, second] = [await engine.next('frame'), await engine.next('frame')];
    assert.deepEqual([first.id, first.keyFrame, first.data.length], [7, true, 160]);
    assert.ok(Math.abs(Number(second.ptsUs - first.ptsUs) - 20_000) <= 125);
    // Unix time: the sound is of now.
    assert.ok(Math.abs(Number(first.ptsUs) / 1_000 - Date.now()) < 5_000);
    const { renditions } = await engine.next('stats');
    assert.equal(renditions[0]?.id, 7);
  });

  it('makes a small picture of what is on, though nothing else is asked for', async t => {
    const engine = await Engine.start(t, { source: 'testcard:' });
    const { jpeg } = await engine.next('thumbnail');
    assert.deepEqual([...Buffer.from(jpeg, 'base64').subarray(0, 2)], [0xff, 0xd8]);
  });

  it('begins a rendition with a key frame, and makes another when it is asked', async t => {
    const engine = await Engine.start(t, { source: 'testcard:' });
    await engine.next('source');
    const size = { width: 320, height: 180, frameRate: 30, bitrateBps: 250_000 };
    engine.send({ type: 'start', id: 1, rendition: { kind: 'video', codec: 'vp8', packetizationMode: 1, ...size } });
    assert.equal((await engine.next('frame')).keyFrame, true);
    assert.equal((await engine.next('frame')).keyFrame, false);
    engine.send({ type: 'keyFrame', id: 1 });
    let frames = 1;
    while (!(await engine.next('frame')).keyFrame) frames++;
    assert.ok(frames < 30, `${frames} frames until the key frame`);
    engine.send({ type: 'stop', id: 1 });
    let stats = await engine.next('stats');
    while (stats.renditions.length > 0) stats = await engine.next('stats');
  });

  // Where there is such hardware it works, and this shows nothing; nobody puts it into a machine that runs tests.
  it('encodes in software when the hardware fails, and when a process with hardware has died', async t => {
    const engine = await Engine.start(t, { source: 'testcard:' }, 'v4l2');
    const { pid } = await engine.next('hello');
    assert.deepEqual((await engine.next('encoding')).encoding, { effort: 'full', hardware: 'v4l2' });
    await engine.next('source');
    const size = { width: 320, height: 180, frameRate: 30, bitrateBps: 250_000 };
    engine.send({ type: 'start', id: 1, rendition: { kind: 'video', codec: 'h264', packetizationMode: 1, ...size } });
    const { hardware, fault } = (await engine.next('encoding')).encoding;
    assert.equal(hardware, null);
    assert.match(fault ?? '', /h264_v4l2m2m/);
    assert.equal((await engine.next('frame')).keyFrame, true);
    process.kill(pid, 'SIGKILL');
    await engine.next('hello');
    assert.equal((await engine.next('encoding')).encoding.hardware, null);
  });

  it('says that its film is over', async t => {
    const engine = await Engine.start(t, { source: `file:${writeMedia(t, 'a.wav', wave(100))}` });
    assert.equal((await engine.next('source')).state, 'open');
    assert.deepEqual(await engine.next('source'), { type: 'source', state: 'ended' });
  });

  for (const [name, source, reason] of [
    ['that is not there', 'file:/nowhere/film.mp4', /^no such file$/],
    ['of no known kind', 'gopher://camera/', /^gopher:\/\/camera\/: no source kind gopher: \(there are .*file:, /],
  ] as const) {
    it(`says why it cannot open a source ${name}`, async t => {
      const engine = await Engine.start(t, { source });
      const message = await engine.next('source');
      assert.equal(message.state, 'failed');
      assert.match(message.reason, reason);
    });
  }

  it('says why it cannot open a file that is no film, without a path', async t => {
    const path = writeMedia(t, 'a.mp4', 'no film');
    const message = await (await Engine.start(t, { source: `file:${path}` })).next('source');
    assert.equal(message.state, 'failed');
    assert.ok(!message.reason.includes(dirname(path)), message.reason);
  });
});
