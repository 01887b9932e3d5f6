import { formatHost, formatVia } from './message/index.ts';
import { BRANCH_COOKIE } from './transaction/index.ts';
import type { Flow } from './transport/index.ts';

/** RFC 3261 §19.3 asks for 32 bits; with these nobody else can name a dialog. */
const TOKEN_BYTES = 12;
/** One draw of random bytes costs more than the whole response that is waiting for its tag. */
const TOKENS_PER_DRAW = 256;

/** Makes tags and branches, unguessable ones, of random bytes that are drawn for many of them at once. */
export class Identifiers {
  readonly #fill: (bytes: Buffer) => unknown;
  readonly #drawn = Buffer.alloc(TOKENS_PER_DRAW * TOKEN_BYTES);
  #used = this.#drawn.length;

  /** `fill` overwrites the bytes with random ones, as `randomFillSync` does. */
  constructor(fill: (bytes: Buffer) => unknown) {
    this.#fill = fill;
  }

  token(): string {
    if (this.#used === this.#drawn.length) {
      this.#fill(this.#drawn);
      this.#used = 0;
    }
    const begin = this.#used;
    this.#used += TOKEN_BYTES;
    return this.#drawn.toString('hex', begin, this.#used);
  }

  /** The Via of a new transaction of ours. */
  via({ transport, localAddress, localPort }: Flow): string {
    const parameters = new Map([
      ['branch', `${BRANCH_COOKIE}${this.token()}`],
      ['rport', null],
    ]);
    return formatVia({ transport: transport.toUpperCase(), host: localAddress, port: localPort, parameters });
  }
}

export function hostPort({ localAddress, localPort }: Flow): string {
  return `${formatHost(localAddress)}:${localPort}`;
}
