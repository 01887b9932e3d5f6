import { createLogger } from '../../src/observe/index.ts';
import { SignallingEndpoint } from '../../src/signalling/index.ts';
import { StreamFramer } from '../../src/signalling/message/index.ts';
import { FakeClock } from '../../src/signalling/testing.ts';
import type { Flow } from '../../src/signalling/transport/index.ts';
import type { IncomingCall, Referral, WatchedTarget } from '../../src/signalling/types.ts';
import type { Random } from './random.ts';

/** Between two messages. Transactions and dialogs end within a few hundred messages, so memory shows what does not. */
const STEP_MS = 250;
const CALL_MS = 20_000;
const HEADER_LINE = /^[A-Za-z0-9.!%*_+`'~-]+: ?[^\r\n\0]*$/;
const METHODS = [
  'ACK',
  'BYE',
  'CANCEL',
  'INVITE',
  'UPDATE',
  'OPTIONS',
  'INFO',
  'PRACK',
  'REFER',
  'SUBSCRIBE',
  'NOTIFY',
];
/** Headers without which a method says nothing. */
const NEEDED: Readonly<Record<string, string>> = {
  REFER: 'Refer-To: <sip:bob@example.org>\r\n',
  SUBSCRIBE: 'Event: refer\r\n',
};

/** How a message comes: its bytes, as a datagram or cut up on a connection. */
export interface Delivery {
  readonly bytes: Buffer;
  readonly transport: 'udp' | 'tcp';
  readonly remoteAddress: string;
  /** Where the network cuts a stream, in bytes. */
  readonly cuts: readonly number[];
}

/** A server without sockets, in a time of its own. */
export class Target {
  readonly #clock = new FakeClock();
  readonly #endpoint: SignallingEndpoint;
  readonly #sent: Buffer[] = [];
  /** The last answer to an INVITE, and the last request of the server's own: what a peer would go on with. */
  #answer: string | null = null;
  #request: string | null = null;
  #calls = 0;
  /** Messages that the server sent. */
  sent = 0;

  constructor() {
    this.#endpoint = new SignallingEndpoint({
      clock: this.#clock,
      log: Object.assign(createLogger({ level: 'silent' }), { error: rethrow }),
      guests: true,
      handlers: { invite: call => this.#take(call), look: target => this.#look(target) },
    });
  }

  get sizes() {
    return this.#endpoint.sizes;
  }

  /** Tells what the most expensive of its messages cost, or of those that a stream was cut into. Throws what the server throws. */
  receive({ bytes, transport, remoteAddress, cuts }: Delivery, clockMs: () => number): number {
    const flow = this.#flow(transport, remoteAddress);
    let mostMs = 0;
    const take = (message: Buffer) => {
      const startMs = clockMs();
      this.#endpoint.receive(flow, message);
      mostMs = Math.max(mostMs, clockMs() - startMs);
    };
    if (transport === 'udp') take(bytes);
    else {
      const framer = new StreamFramer();
      let from = 0;
      for (const to of [...cuts, bytes.length]) {
        const startMs = clockMs();
        const pieces = framer.push(bytes.subarray(from, to));
        mostMs = Math.max(mostMs, (clockMs() - startMs) / Math.max(1, pieces.length));
        for (const piece of pieces) if (piece.type === 'message') take(piece.bytes);
        from = to;
      }
      this.#endpoint.closed(flow);
    }
    return mostMs;
  }

  /** Goes on in time, and looks at what was sent; throws when it is no message. */
  settle(): void {
    this.#clock.advance(STEP_MS);
    for (const bytes of this.#sent) {
      const text = bytes.toString('latin1');
      const [head] = text.split('\r\n\r\n', 1);
      const [startLine, ...lines] = head!.split('\r\n');
      if (!text.includes('\r\n\r\n') || !lines.every(line => HEADER_LINE.test(line.replaceAll('\0', '')))) {
        throw new Error(`the server sent what is no message: ${JSON.stringify(text.slice(0, 2_000))}`);
      }
      if (!startLine!.startsWith('SIP/2.0')) this.#request = text;
      else if (/^CSeq: \d+ INVITE$/m.test(head!.replaceAll('\r', ''))) this.#answer = text;
    }
    this.sent += this.#sent.length;
    this.#sent.length = 0;
  }

  /** What a peer could say next: another request in its dialog, or an answer to ours. */
  followUp(random: Random): string | null {
    if (this.#request !== null && random.chance(0.3)) {
      const status = random.pick(['200 OK', '100 Trying', '481 Gone', '491 Pending', '500 Error', '422 Too brief']);
      return this.#request.replace(/^.*\r\n/, `SIP/2.0 ${status}\r\n`);
    }
    if (this.#answer === null) return null;
    const method = random.pick(METHODS);
    const branch = method === 'CANCEL' || random.chance(0.2) ? '$&' : `branch=z9hG4bK${random.below(2 ** 31)}`;
    return this.#answer
      .replace(/^.*\r\n/, `${method} sip:news@192.0.2.1 SIP/2.0\r\nMax-Forwards: 70\r\n${NEEDED[method] ?? ''}`)
      .replace(/^CSeq: (\d+) .*$/m, `CSeq: ${random.pick(['$1', String(random.below(2 ** 31))])} ${method}`)
      .replace(/branch=[^;,\r\n]*/, branch);
  }

  close(): void {
    this.#endpoint.close();
  }

  #flow(transport: 'udp' | 'tcp', remoteAddress: string): Flow {
    return {
      transport,
      reliable: transport === 'tcp',
      remoteAddress,
      remotePort: 5062,
      localAddress: '192.0.2.1',
      localPort: 5060,
      closed: false,
      send: bytes => {
        this.#sent.push(bytes);
        return true;
      },
      close: () => undefined,
    };
  }

  #look(name: string): WatchedTarget | null {
    return name === '' ? null : { name, isOpen: true, title: 'On & <air>', viewers: this.#calls, calls: [] };
  }

  #refer(referral: Referral): void {
    if (this.#calls++ % 2 === 0) return referral.reject({ status: 403 });
    referral.accept();
    this.#endpoint.watchedChanged('news');
    this.#clock.setTimer(STEP_MS, () => referral.report(200, 'OK'));
  }

  /** Refused at once, answered, or left to ring; over in any case after a while. */
  #take(call: IncomingCall): void {
    const kind = this.#calls++ % 3;
    call.handlers = {
      answered: () => undefined,
      cancelled: () => undefined,
      acknowledged: () => undefined,
      reinvite: offer => (this.#calls++ % 2 === 0 ? offer.accept('v=0\r\n') : offer.reject({ status: 488 })),
      referred: referral => this.#refer(referral),
      ended: () => undefined,
    };
    if (kind === 0) return call.reject({ status: 486 });
    call.ring();
    if (kind === 1) call.accept('v=0\r\n');
    this.#clock.setTimer(CALL_MS, () => {
      call.reject({ status: 480 });
      call.hangUp({ protocol: 'SIP', cause: 200, text: 'over' });
    });
  }
}

/** The endpoint goes on after a fault of its own and logs it; here it is what is looked for. */
function rethrow({ err }: { err: unknown }): void {
  throw err;
}
