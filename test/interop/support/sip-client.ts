import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket as TcpSocket } from 'node:net';
import { until } from './until.ts';

/** A response as it came: the status line taken apart, the rest as text. */
export interface SipAnswer {
  readonly status: number;
  readonly reason: string;
  readonly text: string;
}

export interface RequestParts {
  readonly method?: string;
  /** User part of the Request-URI. */
  readonly target?: string;
  readonly body?: string;
  readonly headers?: readonly string[];
  readonly toTag?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly callId?: string;
}

/** What a phone that knows G.711 alone would offer, for a port where nobody listens. */
export const PLAIN_OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 6000 RTP/AVP 8 0',
  '',
].join('\r\n');

let count = 0;

/** Says SIP to a server in plain text, right or wrong, and keeps what comes back. */
export class SipClient {
  readonly transport: 'udp' | 'tcp';
  readonly #send: (text: string) => void;
  readonly #close: () => void;
  readonly localPort: number;
  readonly #serverPort: number;
  /** Of both ends, as it stands in a URI. */
  readonly #host: string;
  #received = '';

  /** `address` is the server's and its own. */
  static async open(transport: 'udp' | 'tcp', serverPort: number, address = '127.0.0.1'): Promise<SipClient> {
    if (transport === 'udp') {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4').bind(0, address);
      await once(socket, 'listening');
      return new SipClient('udp', socket, serverPort, address);
    }
    const socket = connect(serverPort, address);
    await once(socket, 'connect');
    return new SipClient('tcp', socket, serverPort, address);
  }

  private constructor(transport: 'udp' | 'tcp', socket: UdpSocket | TcpSocket, serverPort: number, address: string) {
    this.#host = isIPv6(address) ? `[${address}]` : address;
    this.transport = transport;
    this.#serverPort = serverPort;
    const keep = (bytes: Buffer) => {
      this.#received += bytes.toString('utf8');
    };
    if ('bind' in socket) {
      socket.on('message', keep);
      this.#send = text => socket.send(text, serverPort, address);
      this.#close = () => socket.close();
      this.localPort = socket.address().port;
    } else {
      socket.on('data', keep).on('error', () => undefined);
      this.#send = text => socket.write(text);
      this.#close = () => socket.destroy();
      this.localPort = socket.localPort!;
    }
  }

  /** What came since the last `ask`. */
  get received(): string {
    return this.#received;
  }

  /** A well-formed request; each one has a Call-ID and a branch of its own if none is given. */
  request(parts: RequestParts = {}): string {
    const { method = 'INVITE', target = 'clock', body = '', headers = [], toTag, cseq = 1 } = parts;
    const { branch = `z9hG4bK-test-${count++}`, callId = `call-${count++}` } = parts;
    const address = `${this.#host}:${this.localPort}`;
    return [
      `${method} sip:${target}@${this.#host}:${this.#serverPort} SIP/2.0`,
      `Via: SIP/2.0/${this.transport.toUpperCase()} ${address};branch=${branch};rport`,
      'Max-Forwards: 70',
      `From: <sip:viewer@${address}>;tag=viewer`,
      `To: <sip:${target}@${this.#host}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:viewer@${address};transport=${this.transport}>`,
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  /** Sends bytes as they are and waits for the final response with their Call-ID and CSeq. */
  async ask(text: string): Promise<SipAnswer> {
    const marks = text.match(/^(Call-ID|CSeq): .*$/gm) ?? [];
    this.#received = '';
    this.#send(text);
    return until('a final response', () => {
      const messages = this.#received.split(/(?=^SIP\/2\.0 \d)/m);
      const found = messages.find(
        each => /^SIP\/2\.0 [2-6]/.test(each) && marks.every(mark => each.includes(mark.trim())),
      );
      if (found === undefined) return null;
      const [, status, reason] = /^SIP\/2\.0 (\d+) ([^\r\n]*)/.exec(found)!;
      return { status: Number(status), reason: reason!, text: found };
    });
  }

  /** A call that is answered and acknowledged; `hangUp` says BYE. */
  async call(target: string, body = PLAIN_OFFER): Promise<{ answer: SipAnswer; hangUp(): Promise<SipAnswer> }> {
    const callId = `call-${count++}`;
    const answer = await this.ask(this.request({ target, body, callId }));
    if (answer.status !== 200) throw new Error(`${target}: ${answer.status} ${answer.reason}`);
    const toTag = /^To:.*;tag=([^;\s]+)/m.exec(answer.text)![1]!;
    this.tell(this.request({ method: 'ACK', target, callId, toTag }));
    return { answer, hangUp: () => this.ask(this.request({ method: 'BYE', target, callId, toTag, cseq: 2 })) };
  }

  /** Sends bytes as they are and waits for nothing. */
  tell(text: string): void {
    this.#send(text);
  }

  close(): void {
    this.#close();
  }
}
