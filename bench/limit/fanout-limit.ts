import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compileAddOn } from '../../scripts/build-native.mjs';

/** The bare C++ limit. */
export interface FanoutLimit {
  /** Binds so many UDP sockets on loopback that nobody reads, and returns their ports. Call it once. */
  open(receivers: number): number[];
  /** Encrypts and sends one frame to every receiver; returns the packets that the kernel took. */
  send(payloads: Uint8Array, payloadBytes: number): number;
}

const SOURCE = fileURLToPath(new URL('fanout-limit.cc', import.meta.url));
const OUTPUT = fileURLToPath(new URL('../../build/bench/fanout-limit.node', import.meta.url));

/** Compiles it as the product's own add-on is compiled, and loads it. */
export async function loadFanoutLimit(): Promise<FanoutLimit> {
  await compileAddOn({ sources: [SOURCE], output: OUTPUT, log: line => console.error(`  ${line}`) });
  return createRequire(import.meta.url)(OUTPUT) as FanoutLimit;
}
