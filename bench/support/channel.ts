import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Engine, type EngineEvent } from '../../src/engine/index.ts';
import { createLogger } from '../../src/observe/index.ts';
import { type RenditionSpec, type SourceInfo, TranscoderSupervisor } from '../../src/transcoder/index.ts';
import { until } from '../../test/interop/support/until.ts';
import { processCpuMs } from './process-cpu.ts';

const ADDRESS = '127.0.0.1';
const CHANNEL = 'bench';
const log = createLogger({ level: 'silent' });

/** One channel on air, without signalling: a transcoder in its process, the engine in ours, viewers who read nothing. */
export class BenchChannel {
  readonly #engine: Engine;
  readonly #supervisor: TranscoderSupervisor;
  readonly #close: () => void;
  /** Where all viewers are. */
  readonly #port: number;
  #info: SourceInfo | null;
  #viewers = 0;
  #doesLess = false;

  static async open(source: string): Promise<BenchChannel> {
    const nobody = createSocket('udp4').bind(0, ADDRESS);
    await once(nobody, 'listening');
    const state = { info: null as SourceInfo | null };
    const { engine } = await Engine.start({
      media: { addresses: [ADDRESS], port: 0, rtpPorts: { first: 20_000, last: 21_999 } },
      log,
      onEvent: (event: EngineEvent) => {
        if (event.type === 'sourceOpen') channel.#info = event.info;
        if (event.type === 'encoding') channel.#doesLess = event.encoding.effort !== 'full';
      },
      onFailed: error => {
        throw error;
      },
    });
    const supervisor = new TranscoderSupervisor({
      log,
      engine: engine.transcoders,
      knownInfo: () => null,
      onFailed: (_, reason) => {
        throw new Error(reason);
      },
      nowMs: () => performance.now(),
    });
    const channel = new BenchChannel(engine, supervisor, nobody.address().port, () => nobody.close());
    channel.#info = state.info;
    supervisor.start({ name: CHANNEL, title: 'Bench', source, loop: true });
    await until('the source', () => channel.#info, 20_000);
    return channel;
  }

  private constructor(engine: Engine, supervisor: TranscoderSupervisor, port: number, close: () => void) {
    this.#engine = engine;
    this.#supervisor = supervisor;
    this.#port = port;
    this.#close = close;
    this.#info = null;
  }

  /** Of the source. */
  get info(): SourceInfo {
    return this.#info!;
  }

  /** Is less done for its pictures than is wanted, because it does not keep up. */
  get doesLess(): boolean {
    return this.#doesLess;
  }

  /** Of the transcoder. */
  get cpuMs(): number {
    return processCpuMs(this.#supervisor.pids.get(CHANNEL)!);
  }

  /** That came of all renditions. */
  async frames(): Promise<number> {
    const { frames } = await this.#engine.stats();
    return frames.reduce((sum, each) => sum + each.frames, 0);
  }

  async packetsSent(): Promise<number> {
    return (await this.#engine.stats()).packetsSent;
  }

  /** Opens a rendition; who watches it is told by {@link watch}. */
  encode(rendition: RenditionSpec): number {
    return this.#engine.openFeed(CHANNEL, rendition);
  }

  /** Adds viewers of a picture; returns how to take them away again. */
  async watch(feed: number, viewers: number): Promise<() => Promise<void>> {
    const ids = Array.from({ length: viewers }, () => `viewer-${this.#viewers++}`);
    const remote = { address: ADDRESS, port: this.#port, rtcpPort: this.#port, trusted: false };
    for (const id of ids) {
      await this.#engine.addViewer({
        id,
        transport: { kind: 'rtp', localAddress: ADDRESS, peerAddress: ADDRESS },
        streams: [
          {
            kind: 'video',
            payloadType: 96,
            clockRateHz: 90_000,
            feed,
            nack: false,
            asksForKeyFrames: true,
            rtcpMux: true,
            remote,
          },
        ],
      });
      await this.#engine.confirmViewer(id);
    }
    return async () => {
      for (const id of ids) await this.#engine.removeViewer(id);
    };
  }

  async close(): Promise<void> {
    await this.#supervisor.close();
    await this.#engine.close();
    this.#close();
  }
}
