import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Config } from '../config/index.ts';
import { DialcastError, type ErrorCode } from '../errors.ts';
import type { Logger } from '../observe/index.ts';
import type { LocalMedia } from '../sdp/index.ts';
import type { RenditionSpec } from '../transcoder/wire.ts';
import type {
  EngineEvent,
  EngineRequests,
  EngineStats,
  EngineWorkerData,
  FeedSpec,
  FromWorker,
  ReelMove,
  ReelState,
  RequestName,
  ToWorker,
  ViewerSpec,
  ViewerUpdate,
} from './protocol.ts';

export interface EngineOptions {
  readonly media: Config['media'];
  readonly log: Logger;
  /** As whom transcoders run, when that is another one than we. */
  readonly transcoderUid?: number | undefined;
  readonly onEvent: (event: EngineEvent) => void;
  /** The thread ended by itself: no viewer gets anything any more, and no request is answered. */
  readonly onFailed: (error: DialcastError) => void;
}

interface Waiting {
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/**
 * The media engine's face on the main thread. Each call is a typed request to the engine's thread; media itself never
 * passes through here.
 */
export class Engine {
  /** Where transcoders connect, and the secret they say. */
  readonly transcoders: { readonly socketPath: string; readonly secret: string };
  readonly #worker: Worker;
  readonly #directory: string;
  readonly #options: EngineOptions;
  readonly #waiting = new Map<number, Waiting>();
  #sequence = 0;
  #nextFeed = 1;
  #failure: DialcastError | null = null;

  /** Starts the thread and opens its sockets. Rejects with LISTEN_FAILED or NATIVE_MISSING. */
  static async start(options: EngineOptions): Promise<{ engine: Engine; port: number }> {
    // mkdtemp makes the directory for its owner alone, so no other user can pose as a transcoder.
    const directory = await mkdtemp(join(tmpdir(), 'dialcast-'));
    const engine = new Engine(options, directory);
    const { transcoderUid } = options;
    try {
      const { port } = await engine.#request('listen', null);
      if (transcoderUid !== undefined) await chown(directory, transcoderUid, process.getgid!());
      return { engine, port };
    } catch (error) {
      await engine.#end();
      throw error;
    }
  }

  private constructor(options: EngineOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.transcoders = { socketPath: join(directory, 'engine.sock'), secret: randomBytes(32).toString('hex') };
    const workerData: EngineWorkerData = { ...options.media, ...this.transcoders };
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: 'engine' });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    // An error crosses from the thread with its properties and without its class.
    this.#worker.on('error', (error: Error & Partial<DialcastError>) =>
      error.code === 'NATIVE_MISSING'
        ? this.#fail(error.code, error.detail ?? error.message)
        : this.#fail('ENGINE_STOPPED', `${error.stack ?? error}`),
    );
    this.#worker.on('exit', code => this.#fail('ENGINE_STOPPED', `exit code ${code}`));
  }

  /** Makes the viewer's transport; media flows once it is connected (WebRTC) or confirmed (RTP). */
  addViewer(spec: ViewerSpec): Promise<LocalMedia> {
    return this.#request('addViewer', spec);
  }

  async updateViewer(update: ViewerUpdate): Promise<void> {
    await this.#request('updateViewer', update);
  }

  async confirmViewer(id: string): Promise<void> {
    await this.#request('confirmViewer', { id });
  }

  async removeViewer(id: string): Promise<void> {
    await this.#request('removeViewer', { id });
  }

  /**
   * Opens a feed: from now on the channel's transcoder, whenever connected, is told to make this rendition; or it is one
   * viewer's of a film that is prepared in a folder.
   */
  openFeed(channel: string, rendition: RenditionSpec, film?: FeedSpec['film']): number {
    const feed = this.#nextFeed++;
    this.#send('openFeed', { feed, channel, rendition, ...(film && { film }) });
    return feed;
  }

  closeFeed(feed: number): void {
    this.#send('closeFeed', { feed });
  }

  /** Sends one viewer of a film to another place in it, or has him wait. Null when he has no feed any more. */
  moveReel(move: ReelMove): Promise<ReelState | null> {
    return this.#request('moveReel', move);
  }

  stats(): Promise<EngineStats> {
    return this.#request('stats', null);
  }

  /** Says goodbye to the viewers that are left and ends the thread. */
  async close(): Promise<void> {
    if (this.#failure === null) await this.#request('close', null);
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#worker.removeAllListeners('exit');
    await this.#worker.terminate();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #request<Name extends RequestName>(
    name: Name,
    request: EngineRequests[Name]['request'],
  ): Promise<EngineRequests[Name]['reply']> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<EngineRequests[Name]['reply']>();
    const sequence = ++this.#sequence;
    this.#waiting.set(sequence, { resolve: reply => resolve(reply as EngineRequests[Name]['reply']), reject });
    this.#worker.postMessage({ name, sequence, request } as ToWorker);
    return promise;
  }

  /** A request whose failure only the log needs to know. */
  #send<Name extends RequestName>(name: Name, request: EngineRequests[Name]['request']): void {
    this.#request(name, request).catch(error =>
      this.#options.log.warn({ err: error }, `engine request ${name} failed`),
    );
  }

  #receive(message: FromWorker): void {
    if (message.type === 'event') return this.#options.onEvent(message.event);
    if (message.type === 'log') return this.#options.log[message.level](message.fields, message.text);
    const waiting = this.#waiting.get(message.sequence);
    this.#waiting.delete(message.sequence);
    if (message.type === 'reply') waiting?.resolve(message.reply);
    else waiting?.reject(new DialcastError(message.code as ErrorCode, message.detail));
  }

  #fail(code: ErrorCode, how: string): void {
    if (this.#failure !== null) return;
    this.#failure = new DialcastError(code, how);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
    this.#options.onFailed(this.#failure);
  }
}
