/**
 * A channel's transcoder: a process of its own, so that a hostile or endless source can harm nobody else. It gets its
 * task on standard input, where no other user of the machine can read it, and talks to the engine over one socket.
 * It ends when that socket or standard input does: a server that was killed leaves no orphan.
 */

import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { DialcastError } from '../errors.ts';
import { broadcast } from './broadcast.ts';
import { LoadWatch, Renditions } from './encode/index.ts';
import { createSource } from './source/index.ts';
import { Standby } from './standby/index.ts';
import type { TranscoderTask } from './task.ts';
import { Thumbnails } from './thumbnails.ts';
import {
  type Encoding,
  type EngineMessage,
  encodeFrame,
  encodeMessage,
  type FrameMessage,
  MOST_REASON_CHARACTERS,
  type SourceInfo,
  type TranscoderMessage,
  WireReader,
} from './wire.ts';

/** What may wait for the engine; beyond it frames are left out until the next key frame. */
const UNSENT_BYTES = 4 * 2 ** 20;

/** The load watch's period too. */
const STATS_INTERVAL_MS = 1_000;
const BEAT_INTERVAL_MS = 1_000;

/** Sends to the engine, and drops frames rather than grow when it does not keep up. */
class EngineLink {
  readonly #socket: Socket;
  /** Renditions that wait for a key frame after something of them was dropped. */
  readonly #broken = new Set<number>();
  framesDropped = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(message: Exclude<TranscoderMessage, FrameMessage>): void {
    this.#socket.write(encodeMessage(message));
  }

  sendFrame(frame: FrameMessage): void {
    const full = this.#socket.writableLength > UNSENT_BYTES;
    if (full || (this.#broken.has(frame.id) && !frame.keyFrame)) {
      this.#broken.add(frame.id);
      this.framesDropped++;
      return;
    }
    this.#broken.delete(frame.id);
    const [header, data] = encodeFrame(frame);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(data);
    this.#socket.uncork();
  }
}

async function run(task: TranscoderTask, signal: AbortSignal, end: (code: number) => void): Promise<void> {
  const socket = connect(task.socketPath);
  socket.on('error', () => end(1));
  socket.on('close', () => end(0));
  const link = new EngineLink(socket);
  // Monotonic, unlike the wall clock, and on the same line as it.
  const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
  const load = new LoadWatch();
  let encoding: Encoding = { effort: 'full', hardware: task.hardware };
  const tellEncoding = (news: Partial<Encoding>) => {
    encoding = { ...encoding, ...news };
    link.send({ type: 'encoding', encoding });
  };
  const renditions = new Renditions({
    onFrame: (id, { keyFrame, ptsUs, data }) =>
      link.sendFrame({ type: 'frame', id, keyFrame, ptsUs: BigInt(ptsUs), data }),
    onError: (id, error) => console.error(`rendition ${id}: ${error.message}`),
    onHardwareFailed: fault => tellEncoding({ hardware: null, fault }),
    hardware: task.hardware,
    nowUs,
    load,
  });
  const obey: { [Type in EngineMessage['type']]: (message: Extract<EngineMessage, { type: Type }>) => void } = {
    start: ({ id, rendition }) => void renditions.start(id, rendition),
    stop: ({ id }) => renditions.stop(id),
    keyFrame: ({ id }) => renditions.requestKeyFrame(id),
  };
  const reader = new WireReader<EngineMessage>();
  socket.on('data', chunk => {
    const { messages, error } = reader.push(chunk);
    for (const message of messages) obey[message.type]?.(message as never);
    if (error !== null) end(1);
  });
  link.send({ type: 'hello', channel: task.channel, token: task.token, pid: process.pid });
  tellEncoding({});
  let { info } = task;
  let fault = 'the source has fallen silent';
  const standby = new Standby({
    title: task.title,
    sink: new Thumbnails(
      renditions,
      jpeg => link.send({ type: 'thumbnail', jpeg: Buffer.from(jpeg).toString('base64') }),
      nowUs,
    ),
    nowUs,
    changed: out => {
      const state = out ? ({ state: 'out', reason: fault } as const) : ({ state: 'open', info: info! } as const);
      link.send({ type: 'source', ...state });
    },
  });
  const stats = setInterval(() => {
    link.send({ type: 'stats', renditions: renditions.stats(), encoders: renditions.encoders });
    const effort = load.endPeriod();
    if (effort === encoding.effort) return;
    void renditions.setEffort(effort);
    tellEncoding({ effort });
  }, STATS_INTERVAL_MS);
  try {
    // What it stands in for is known before the source is.
    if (info !== null) standby.opened(info);
    let isLive = false;
    const changed = (found: SourceInfo) => {
      info = found;
      if (isLive) standby.opened(info);
      if (!standby.isOut) link.send({ type: 'source', state: 'open', info });
    };
    const options = {
      wasOpen: info !== null,
      createSource: () =>
        createSource({
          url: task.source,
          loop: task.loop,
          tracks: task.tracks,
          passThrough: task.passThrough,
          nowUs,
          changed,
        }),
      sink: standby,
      nowUs,
      random: Math.random,
      opened: (found: SourceInfo, live: boolean) => {
        isLive = live;
        changed(found);
      },
      lost: (reason: string) => {
        fault = reason.slice(0, MOST_REASON_CHARACTERS);
      },
    };
    await broadcast(options, signal);
    if (!signal.aborted) link.send({ type: 'source', state: 'ended' });
  } catch (error) {
    const reason = error instanceof DialcastError ? error.detail : (error as Error).message;
    link.send({ type: 'source', state: 'failed', reason: reason.slice(0, MOST_REASON_CHARACTERS) });
  } finally {
    clearInterval(stats);
    await standby.close();
    await renditions.close();
  }
}

// FFmpeg's remarks on damaged input are for nobody; what matters is reported as a source state.
Log.setLevel(AV_LOG_FATAL);
const ending = new AbortController();
const end = (code: number) => {
  ending.abort();
  // At once: an FFmpeg call that does not return would hold up a polite end for ever.
  process.exit(code);
};
process.on('SIGTERM', () => end(0));
// Who watches us hears that we are not stuck.
setInterval(() => process.stdout.write('.'), BEAT_INTERVAL_MS).unref();
// The terminal's Ctrl-C reaches the whole group, but the server decides when a channel ends.
process.on('SIGINT', () => undefined);
const input = createInterface({ input: process.stdin });
input.once('line', line => {
  const task = JSON.parse(line) as TranscoderTask;
  process.title = `dialcast: ${task.channel}`;
  void run(task, ending.signal, end);
});
input.once('close', () => end(0));
