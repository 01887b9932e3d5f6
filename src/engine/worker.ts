/** The engine's thread: media sockets, the transcoders' socket, the clock, and the native add-on between them. */

import { parentPort, workerData } from 'node:worker_threads';
import { DialcastError } from '../errors.ts';
import { readSegment, readSegmentCount } from '../transcoder/film/rendition-folder.ts';
import { Feeds } from './feeds.ts';
import { Reels, type Segment } from './film/index.ts';
import { loadNative } from './native.ts';
import type { EngineEvent, EngineRequests, EngineWorkerData, FromWorker, RequestName, ToWorker } from './protocol.ts';
import { TranscoderLinks } from './transcoder-links.ts';
import { Viewers } from './viewers.ts';

/** Granularity of everything that is rarer than a packet: handshake retransmission, reports, expiry. */
const TICK_MS = 50;

const port = parentPort!;
const media = workerData as EngineWorkerData;

const post = (message: FromWorker) => port.postMessage(message);
const emit = (event: EngineEvent) => post({ type: 'event', event });
const nowMs = () => performance.now();

const native = loadNative();
const fanOut = new native.FanOut();
const reels = new Reels({
  read: readFilm,
  onEvent: emit,
  nowUs,
  every: (intervalMs, callback) => {
    const timer = setInterval(callback, intervalMs);
    return () => clearInterval(timer);
  },
});
const feeds = new Feeds(fanOut, reels, (channel, message) => links.send(channel, message));
const viewers = new Viewers({
  native,
  fanOut,
  feeds,
  media,
  onEvent: emit,
  onFault: (id, error) => {
    const stack = error instanceof Error ? error.stack : String(error);
    post({ type: 'log', level: 'error', fields: { call: id, stack }, text: 'a viewer failed' });
    emit({ type: 'viewerLost', id, reason: 'a fault of the server' });
  },
  nowMs,
});
const links = new TranscoderLinks({
  ...media,
  onHello: channel => feeds.transcoderStarted(channel),
  onGone: channel => feeds.transcoderGone(channel),
  onRefused: reason => post({ type: 'log', level: 'warn', fields: { reason }, text: 'a transcoder was refused' }),
  onMessage: (channel, message) => {
    if (message.type === 'frame') feeds.push(channel, message, nowMs());
    if (message.type === 'stats') feeds.report(channel, message);
    if (message.type === 'thumbnail') emit({ type: 'thumbnail', channel, jpeg: message.jpeg });
    if (message.type === 'encoding') emit({ type: 'encoding', channel, encoding: message.encoding });
    if (message.type !== 'source') return;
    if (message.state === 'open') emit({ type: 'sourceOpen', channel, info: message.info });
    if (message.state === 'failed') emit({ type: 'sourceFailed', channel, reason: message.reason });
    if (message.state === 'out') emit({ type: 'sourceOut', channel, reason: message.reason });
    if (message.state === 'ended') emit({ type: 'sourceEnded', channel });
  },
});
const ticking = setInterval(() => viewers.tick(BigInt(nowUs())), TICK_MS);

const handlers: {
  [Name in RequestName]: (
    request: EngineRequests[Name]['request'],
  ) => EngineRequests[Name]['reply'] | Promise<EngineRequests[Name]['reply']>;
} = {
  listen: async () => {
    const bound = listenMedia();
    await links.listen();
    return { port: bound };
  },
  addViewer: spec => viewers.add(spec),
  updateViewer: update => viewers.update(update),
  confirmViewer: ({ id }) => viewers.confirm(id),
  removeViewer: ({ id }) => viewers.remove(id),
  openFeed: spec => feeds.open(spec),
  closeFeed: ({ feed }) => feeds.close(feed),
  moveReel: move => reels.move(move),
  stats: () => ({ ...viewers.stats(), ...feeds.stats() }),
  close: () => {
    clearInterval(ticking);
    viewers.close();
    links.close();
  },
};

port.on('message', async ({ name, sequence, request }: ToWorker) => {
  try {
    const reply = await handlers[name](request as never);
    post({ type: 'reply', sequence, reply });
  } catch (error) {
    const coded = error instanceof DialcastError;
    post({
      type: 'failure',
      sequence,
      code: coded ? error.code : 'ENGINE_STOPPED',
      detail: coded ? error.detail : String(error),
    });
  }
});

function listenMedia(): number {
  try {
    return viewers.listen();
  } catch (cause) {
    throw new DialcastError('LISTEN_FAILED', `media.port: UDP port ${media.port}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Unix time in microseconds; whole milliseconds are not enough to align audio with video. */
function nowUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

async function readFilm(folder: string, segment: number): Promise<Segment> {
  const frames = await readSegment(folder, segment);
  if (frames !== null) return frames;
  const count = await readSegmentCount(folder);
  return count !== null && segment >= count ? 'end' : 'absent';
}
