import { tortureVectors } from '../vectors/torture.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { SEEDS } from './seeds.ts';
import { type Delivery, Target } from './target.ts';

/** No message may cost more. */
export const MOST_MS = 5;
/** A collection of garbage may make one message look slow, but not each time; nor does code that is not compiled yet. */
const RETRIES = 4;
const TOO_SLOW = `more than ${MOST_MS} ms`;
/** Enough to look into. */
const MOST_FAILURES = 100;
const SAMPLES = 20;
/** What the heap may differ by between two moments of a server that keeps nothing. */
const HEAP_TOLERANCE_MB = 16;

export interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  /** Called twenty times. */
  readonly onProgress?: (done: number, heapMb: number | null) => void;
}

export interface FuzzFailure {
  readonly reason: string;
  /** Which message it was. */
  readonly index: number;
  readonly delivery: Delivery;
}

export interface FuzzReport {
  readonly messages: number;
  readonly seed: number;
  /** Messages that the server sent. */
  readonly sent: number;
  readonly slowestMs: number;
  /** After each twentieth, with no garbage; null where the collector can't be called. */
  readonly heapMb: readonly (number | null)[];
  readonly failures: readonly FuzzFailure[];
}

/** Gives the server messages that were right once. */
export function fuzz({ messages, seed, onProgress = () => undefined }: FuzzOptions): FuzzReport {
  const random = new Random(seed);
  const vectors = [...tortureVectors().map(({ bytes }) => bytes.toString('latin1')), ...SEEDS];
  const failures: FuzzFailure[] = [];
  const heapMb: (number | null)[] = [];
  let target = new Target();
  let sent = 0;
  let slowestMs = 0;
  for (let index = 0; index < messages && failures.length < MOST_FAILURES; index++) {
    const base = (random.chance(0.3) ? target.followUp(random) : null) ?? random.pick(vectors);
    const delivery = deliveryOf(Buffer.from(mutate(base, random, vectors), 'latin1'), random);
    try {
      const ms = target.receive(delivery, wallMs);
      target.settle();
      const provenMs = ms > MOST_MS ? leastMs(delivery) : ms;
      slowestMs = Math.max(slowestMs, provenMs);
      if (provenMs > MOST_MS) failures.push({ reason: TOO_SLOW, index, delivery });
    } catch (error) {
      failures.push({ reason: String(error), index, delivery });
      sent += target.sent;
      target = new Target();
    }
    if ((index + 1) % Math.ceil(messages / SAMPLES) === 0 || index === messages - 1) {
      heapMb.push(cleanHeapMb());
      onProgress(index + 1, heapMb.at(-1)!);
    }
  }
  sent += target.sent;
  target.close();
  return { messages, seed, sent, slowestMs: Math.round(slowestMs * 100) / 100, heapMb, failures };
}

/** Does the heap stay where it was, once everything is warm. */
export function isFlat(heapMb: readonly (number | null)[]): boolean {
  const known = heapMb.filter(mb => mb !== null);
  const half = Math.ceil(known.length / 2);
  return known.length < 2 || known.at(-1)! <= Math.max(...known.slice(0, half)) + HEAP_TOLERANCE_MB;
}

/** Each of these on a server of its own; for messages that once were a failure. */
export function replay(delivery: Delivery): string | null {
  try {
    const target = new Target();
    target.receive(delivery, wallMs);
    target.settle();
    target.close();
  } catch (error) {
    return String(error);
  }
  return leastMs(delivery) > MOST_MS ? TOO_SLOW : null;
}

function deliveryOf(bytes: Buffer, random: Random): Delivery {
  const cuts = Array.from({ length: random.below(4) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  // A server listens to its own machine without end, and to others as far as they keep to its limits.
  const remoteAddress = random.chance(0.5) ? '127.0.0.1' : `198.51.${random.below(256)}.${random.below(256)}`;
  return { bytes, transport: random.chance(0.5) ? 'udp' : 'tcp', remoteAddress, cuts };
}

function wallMs(): number {
  return performance.now();
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Of several tries; the first that is good enough will do. */
function leastMs(delivery: Delivery): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RETRIES && least > MOST_MS; run++) least = Math.min(least, cpuMs(delivery));
  return least;
}

/** What it costs the processor, on a server of its own. */
function cpuMs(delivery: Delivery): number {
  const target = new Target();
  const ms = target.receive(delivery, processorMs);
  target.close();
  return ms;
}

function cleanHeapMb(): number | null {
  if (globalThis.gc === undefined) return null;
  globalThis.gc();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}
