import type { Clock } from '../clock.ts';
import type { Flow } from '../transport/index.ts';
import { needsFlow } from './outbound.ts';

/** A contact of an address of record (RFC 3261 §10), from its first REGISTER to its end. */
export interface Binding {
  /** Where it is to be reached, its Contact's URI. */
  readonly uri: string;
  /** The Contact's parameters as they were written, without `expires`. */
  readonly parameters: string;
  readonly q: number;
  readonly instance: string | null;
  /** Set where RFC 5626 applies: a binding is then known by its instance and this, not by its URI. */
  readonly regId: number | null;
  /** The proxies on the way to it (RFC 3327), the next one first. */
  readonly path: readonly string[];
  /** The way to it, when it came to us through nobody else. */
  readonly flow: Flow | null;
  /** Which registration of its device this is; another Call-ID begins another one (RFC 5627 §5.4). */
  readonly serial: number;
  readonly callId: string;
  readonly sequence: number;
  readonly expiresAtMs: number;
}

const MOST_ADDRESSES = 50_000;
/** How often bindings that have ended are looked for: each look goes through all of them. */
const SWEEP_MS = 10_000;

/** Every binding, by address of record. They end by themselves: with their time, or with their flow. */
export class Bindings {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #byAddress = new Map<string, readonly Binding[]>();
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Addresses of record that have one. */
  get size(): number {
    this.#sweep(this.#clock.nowMs());
    return this.#byAddress.size;
  }

  /** Those of an address, the one that was renewed last at the end. */
  of(address: string): readonly Binding[] {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweep(nowMs);
    return live(this.#byAddress.get(address) ?? [], nowMs);
  }

  /** From now on the address has these; false when there are too many addresses for another one. */
  replace(address: string, bindings: readonly Binding[]): boolean {
    if (bindings.length === 0) this.#byAddress.delete(address);
    else if (this.#byAddress.size >= MOST_ADDRESSES && !this.#byAddress.has(address)) return false;
    else this.#byAddress.set(address, bindings);
    return true;
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [address, bindings] of this.#byAddress) {
      const left = live(bindings, nowMs);
      if (left !== bindings) this.replace(address, left);
    }
  }
}

/** Those that have not ended; the same array when that is all of them. */
function live(bindings: readonly Binding[], nowMs: number): readonly Binding[] {
  if (bindings.every(({ expiresAtMs, flow }) => expiresAtMs > nowMs && !flow?.closed)) return bindings;
  return bindings.flatMap(binding => {
    if (binding.expiresAtMs <= nowMs) return [];
    if (!binding.flow?.closed) return [binding];
    // Whoever does not depend on its connection can be reached over another one.
    return needsFlow(binding.regId, binding.flow) ? [] : [{ ...binding, flow: null }];
  });
}
