import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  channelToken,
  type EngineMessage,
  encodeFrame,
  encodeMessage,
  type TranscoderMessage,
  WireReader,
} from '../transcoder/wire.ts';
import { TranscoderLinks } from './transcoder-links.ts';

const SECRET = 'secret';
const hello = (channel: string, token = channelToken(SECRET, channel)) =>
  encodeMessage({ type: 'hello', channel, token, pid: 1 });
const OPEN = encodeMessage({ type: 'source', state: 'open', info: { video: null, audio: null } });

/** Links that write down what they hear, and wait for each of it. */
async function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'links-'));
  const heard: string[] = [];
  let changed = Promise.withResolvers<void>();
  const hear = (text: string) => {
    heard.push(text);
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const socketPath = join(folder, 'engine.sock');
  const links = new TranscoderLinks({
    socketPath,
    secret: SECRET,
    onHello: channel => hear(`hello ${channel}`),
    onGone: channel => hear(`gone: ${channel}`),
    onRefused: reason => hear(`refused: ${reason}`),
    onMessage: (channel, message) => hear(`${channel}: ${message.type}`),
  });
  await links.listen();
  t.after(() => {
    links.close();
    rmSync(folder, { recursive: true });
  });
  const take = async (count: number) => {
    while (heard.length < count) await changed.promise;
    return heard.splice(0, count);
  };
  const transcoder = async (...messages: Uint8Array[]) => {
    const socket = connect(socketPath);
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    for (const message of messages) socket.write(message);
    return socket;
  };
  return { links, take, transcoder };
}

const ended = async (socket: Socket) => {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
};

describe('a transcoder’s connection', { timeout: 10_000 }, () => {
  it('is heard after its hello, and told what its channel needs', async t => {
    const { links, take, transcoder } = await setUp(t);
    links.send('clock', { type: 'stop', id: 1 });
    const frame: TranscoderMessage = { type: 'frame', id: 1, keyFrame: true, ptsUs: 1n, data: Buffer.from('x') };
    const socket = await transcoder(hello('clock'), OPEN, ...encodeFrame(frame));
    assert.deepEqual(await take(3), ['hello clock', 'clock: source', 'clock: frame']);
    links.send('film', { type: 'stop', id: 2 });
    links.send('clock', { type: 'keyFrame', id: 3 });
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.deepEqual(new WireReader<EngineMessage>().push(chunk).messages, [{ type: 'keyFrame', id: 3 }]);
  });

  it('gives way to a new one of the same channel', async t => {
    const { links, take, transcoder } = await setUp(t);
    const first = await transcoder(hello('clock'));
    assert.deepEqual(await take(1), ['hello clock']);
    const second = await transcoder(hello('clock'));
    assert.deepEqual(await take(1), ['hello clock']);
    await ended(first);
    links.send('clock', { type: 'keyFrame', id: 3 });
    await once(second, 'data');
  });

  it('ends with the engine', async t => {
    const { links, take, transcoder } = await setUp(t);
    const socket = await transcoder(hello('clock'));
    await take(1);
    links.close();
    await ended(socket);
  });

  for (const [name, messages, heard] of [
    ['a wrong token', [hello('clock', channelToken('guess', 'clock')), OPEN], ['refused: wrong token']],
    ["another channel's token", [hello('clock', channelToken(SECRET, 'film')), OPEN], ['refused: wrong token']],
    [
      'a hello without a token',
      [encodeMessage({ type: 'hello', channel: 'clock' } as TranscoderMessage & { type: 'hello' })],
      ['refused: a message that is not of the protocol'],
    ],
    ['a token of another length', [hello('clock', ''), OPEN], ['refused: wrong token']],
    ['a message before the hello', [OPEN], ['refused: no hello before the first message']],
    ['a second hello', [hello('clock'), hello('film')], ['hello clock', 'refused: wrong token']],
    [
      'a message of no kind',
      [hello('clock'), Buffer.from('0000000209ff', 'hex')],
      ['hello clock', 'refused: a message of unknown type 9'],
    ],
    ['a message without end', [Buffer.from('ffffffff', 'hex')], ['refused: a message of 4294967295 bytes']],
  ] as const) {
    it(`attack: ${name} is refused and the connection closed`, async t => {
      const { take, transcoder } = await setUp(t);
      const socket = await transcoder(Buffer.concat(messages));
      await ended(socket);
      assert.deepEqual(await take(heard.length), heard);
    });
  }
});
