import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../fuzz/random.ts';
import { INSPECTED } from '../interop/support/inspector.ts';
import { RtpReceiver } from '../interop/support/rtp-receiver.ts';
import { DialcastServer } from '../interop/support/server.ts';
import { SipClient } from '../interop/support/sip-client.ts';
import { until } from '../interop/support/until.ts';
import { openChannels, STEADY } from './channels.ts';
import { type Holdings, measureHoldings, residentBytes } from './holdings.ts';

export interface SoakOptions {
  readonly seconds: number;
  /** The same seed watches the same channels for as long, in the same order. */
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly before: Holdings;
  readonly after: Holdings;
  /** How often each channel was watched, and why it was not when it could not be. */
  readonly watched: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  /** Transcoder processes that were seen. */
  readonly transcoders: number;
}

const PICTURE_TIMEOUT_MS = 20_000;
const MOST_WATCHED_MS = 8_000;
/** Longer than a channel stays on air after its last viewer, so that it is off when it is called again, mostly. */
const MOST_PAUSE_MS = 24_000;
/** A transcoder lives on for ten seconds. */
const SETTLE_TIMEOUT_MS = 30_000;
const SAY_EVERY_MS = 60_000;
const RENEW_EVERY_MS = 290_000;

/**
 * Eight channels, each watched and left at random by somebody of its own, while a ninth is watched all the time; what is
 * held of the machine before, when each was watched once, and after.
 */
export async function soak({ seconds, seed, say }: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'dialcast-soak-'));
  const stops: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const { channels, executed, close } = await openChannels(folder);
    stops.push(close);
    const server = await DialcastServer.start({ channels }, INSPECTED);
    stops.push(() => server.stop());
    const viewers = await Promise.all(channels.map(({ name }) => Viewer.open(server, name)));
    stops.push(() => viewers.map(viewer => viewer.close()));
    const [steady, ...others] = viewers.toSorted((a, b) => Number(b.channel === STEADY) - Number(a.channel === STEADY));
    let hangUp = await steady!.call();
    stops.push(() => hangUp());
    for (const viewer of others) await viewer.watch(0);
    const before = await settled(server, executed, null);
    describe(before, say);

    const pids = new Set<number>();
    const failures: string[] = [];
    const watched = new Map(others.map(({ channel }) => [channel, 0]));
    const endMs = performance.now() + 1000 * seconds;
    const leftMs = () => endMs - performance.now();
    const lives = others.map(async (viewer, index) => {
      const own = new Random(seed + 1 + index);
      // Those of a short run are all there once.
      const pauseMs = Math.min(MOST_PAUSE_MS, seconds * 300);
      for (await delay(own.fraction() * pauseMs); leftMs() > 0; await delay(own.fraction() * pauseMs)) {
        try {
          await viewer.watch(own.fraction() * MOST_WATCHED_MS);
          watched.set(viewer.channel, watched.get(viewer.channel)! + 1);
        } catch (error) {
          failures.push(`${viewer.channel}: ${(error as Error).message}`);
        }
        for (const pid of await server.transcoders()) pids.add(pid);
      }
    });
    const report = setInterval(() => {
      const count = [...watched.values()].reduce((sum, each) => sum + each, 0);
      const [left, resident] = [Math.round(leftMs() / 1000), mib(residentBytes(server.process.pid!))];
      say(`${left} s to go: ${count} calls, ${pids.size} transcoders, ${failures.length} failures; ${resident} MiB`);
    }, SAY_EVERY_MS);
    // A phone that never answers is taken for gone when its session is to be refreshed (RFC 4028).
    const renew = async () => {
      const before = hangUp;
      hangUp = await steady!.call();
      await before();
    };
    const renewal = setInterval(() => renew().catch(error => failures.push(`${error}`)), RENEW_EVERY_MS);
    await Promise.all(lives).finally(() => [report, renewal].forEach(clearInterval));
    const after = await settled(server, executed, before);
    describe(after, say);
    return { before, after, watched, failures, transcoders: pids.size };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** A phone that calls one channel, again and again. */
class Viewer {
  readonly channel: string;
  readonly #client: SipClient;

  static async open(server: DialcastServer, channel: string): Promise<Viewer> {
    return new Viewer(channel, await SipClient.open('udp', server.ports.udp));
  }

  private constructor(channel: string, client: SipClient) {
    this.channel = channel;
    this.#client = client;
  }

  async watch(forMs: number): Promise<void> {
    const hangUp = await this.call();
    await delay(forMs);
    await hangUp();
  }

  /** Resolves with how to hang up, once there is a picture. */
  async call(): Promise<() => Promise<void>> {
    const receiver = await RtpReceiver.open();
    const ends: (() => unknown)[] = [() => receiver.close()];
    const end = async () => {
      for (const each of ends.splice(0).reverse()) await each();
    };
    try {
      const { hangUp } = await this.#client.call(this.channel, receiver.offer);
      ends.push(hangUp);
      await until(`a picture of ${this.channel}`, () => receiver.keyFrameAtMs !== null, PICTURE_TIMEOUT_MS);
      return end;
    } catch (error) {
      await end();
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }
}

/** What is held once all but the steady channel are off air; waits for it to be what it was `before`. */
async function settled(server: DialcastServer, program: string, before: Holdings | null): Promise<Holdings> {
  const look = async () => {
    const now = await measureHoldings(server, program);
    return now.transcoders === 1 && now.viewers === 1 && now;
  };
  const first = await until('the channels to go off air', look, SETTLE_TIMEOUT_MS);
  if (before === null) return first;
  // What does not come back in time is for the caller to judge.
  const back = async () => {
    const now = await look();
    return now && counts(now).join() === counts(before).join() && now;
  };
  return until('what there was before', back, SETTLE_TIMEOUT_MS).catch(() => measureHoldings(server, program));
}

/** All that is counted and not weighed. */
export function counts(holdings: Holdings): readonly (string | number)[] {
  const { calls, viewers, mediaSockets, transcoders, processes, programs, steady, descriptors } = holdings;
  return [
    calls,
    viewers,
    mediaSockets,
    transcoders,
    processes,
    programs,
    steady.pid,
    steady.descriptors,
    ...descriptors,
  ];
}

function describe(holdings: Holdings, say: (line: string) => void): void {
  const { processes, programs, transcoders, descriptors, mediaSockets, heapBytes, residentBytes, steady } = holdings;
  const sockets = descriptors.filter(each => each.startsWith('socket')).length;
  const [heap, resident, transcoder] = [heapBytes, residentBytes, steady.residentBytes].map(mib);
  say(
    [
      `processes ${processes} (transcoders ${transcoders}, programs ${programs})`,
      `descriptors ${descriptors.length} (sockets ${sockets}), media sockets ${mediaSockets}`,
      `heap ${heap} MiB, resident ${resident} MiB`,
      `the steady transcoder: descriptors ${steady.descriptors}, resident ${transcoder} MiB`,
    ].join('; '),
  );
}

export function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
