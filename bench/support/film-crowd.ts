import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, setPriority } from 'node:os';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Engine, type EngineEvent } from '../../src/engine/index.ts';
import { createLogger } from '../../src/observe/index.ts';
import type { RenditionSpec } from '../../src/transcoder/index.ts';
import type { SinkCount } from './rtp-sink.ts';

const ADDRESS = '127.0.0.1';
const SETTLE_MS = 3_000;
const PRIORITY = -15;
const SINK = fileURLToPath(new URL('./rtp-sink.ts', import.meta.url));

/** A rendition that is prepared. */
export interface Prepared {
  readonly folder: string;
  readonly rendition: RenditionSpec;
}

export interface CrowdResult {
  /** Streams that were received. */
  readonly streams: number;
  readonly packets: number;
  readonly lost: number;
  /** Times at which a viewer's film stood still, for want of a segment or of us. */
  readonly stalls: number;
  /** Of one core, by all that this process did. */
  readonly core: number;
  /** Frames that came, of those that were due. */
  readonly punctual: number;
}

/** Viewers of a film, each at a place of his own, on one core; on another one who receives all that they get. */
export async function crowd(viewers: number, spacingUs: number, film: readonly Prepared[], runMs: number) {
  // As on a machine that has nothing else to do, where that is allowed.
  if (process.getuid?.() === 0) setPriority(PRIORITY);
  const sink = await Sink.start();
  const stalls = { count: 0 };
  const { engine } = await Engine.start({
    media: { addresses: [ADDRESS], port: 0, rtpPorts: { first: 20_000, last: 29_999 } },
    log: createLogger({ level: 'silent' }),
    onEvent: (event: EngineEvent) => {
      if (event.type === 'reelEnded') throw new Error(event.fault ?? 'a film ended too early');
      if (event.type === 'reelMoved') stalls.count++;
    },
    onFailed: error => {
      throw error;
    },
  });
  try {
    // With all its threads; those that receive are elsewhere, where there is an elsewhere.
    if (availableParallelism() > 1)
      execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', `${process.pid}`]);
    const remote = { address: ADDRESS, port: sink.port, rtcpPort: sink.port, trusted: false };
    for (let viewer = 0; viewer < viewers; viewer++) {
      const reel = `viewer-${viewer}`;
      const streams = film.map(({ folder, rendition }, index) => ({
        ...{ kind: rendition.kind, payloadType: 96 + index, clockRateHz: rendition.kind === 'video' ? 90_000 : 48_000 },
        feed: engine.openFeed('film', rendition, { reel, folder }),
        ...{ nack: false, asksForKeyFrames: true, rtcpMux: true, remote },
      }));
      await engine.moveReel({ reel, positionUs: viewer * spacingUs });
      await engine.addViewer({
        id: reel,
        transport: { kind: 'rtp', localAddress: ADDRESS, peerAddress: ADDRESS },
        streams,
      });
      await engine.confirmViewer(reel);
    }
    await delay(SETTLE_MS);
    stalls.count = 0;
    const [before, cpuBefore, framesBefore] = [await sink.count(), process.cpuUsage(), await frames(engine)];
    const startMs = performance.now();
    await delay(runMs);
    const [after, cpu, framesAfter] = [await sink.count(), process.cpuUsage(cpuBefore), await frames(engine)];
    const seconds = (performance.now() - startMs) / 1000;
    const dueEachSecond = film.reduce(
      (sum, { rendition }) => sum + (rendition.kind === 'video' ? rendition.frameRate : 50),
      0,
    );
    return {
      streams: after.streams,
      packets: after.packets - before.packets,
      lost: after.lost - before.lost,
      stalls: stalls.count,
      core: (cpu.user + cpu.system) / 1e6 / seconds,
      punctual: (framesAfter - framesBefore) / (dueEachSecond * viewers * seconds),
    } satisfies CrowdResult;
  } finally {
    await engine.close();
    await sink.stop();
  }
}

async function frames(engine: Engine): Promise<number> {
  return (await engine.stats()).frames.reduce((sum, each) => sum + each.frames, 0);
}

class Sink {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #lines: Interface;

  static async start(): Promise<Sink> {
    const child = spawn(process.execPath, [SINK], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const [port] = (await once(lines, 'line')) as [string];
    if (availableParallelism() > 1)
      execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '1', `${child.pid}`]);
    return new Sink(child, lines, Number(port));
  }

  private constructor(child: ChildProcess, lines: Interface, port: number) {
    this.#process = child;
    this.#lines = lines;
    this.port = port;
  }

  async count(): Promise<SinkCount> {
    const answered = once(this.#lines, 'line');
    this.#process.stdin!.write('\n');
    const [line] = (await answered) as [string];
    return JSON.parse(line) as SinkCount;
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.stdin!.end();
    await exited;
  }
}
