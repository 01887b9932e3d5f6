import { readFileSync } from 'node:fs';
import { UA } from 'jssip';
import { WebSocket } from 'ws';
import { readOffer } from '../../vectors/offers/read.ts';

export interface JssipAccount {
  /** URL of the server's WebSocket. */
  readonly url: string;
  /** File with the certificate of who has signed the server's. */
  readonly authority: string;
  readonly uri: string;
  readonly password?: string;
}

export interface JssipCall {
  /** The description that came with the 200. */
  readonly answer: string;
  /** Says BYE. */
  hangUp(): void;
}

/** JsSIP in Node. It has no WebRTC there: its calls are real, but what it offers was recorded. Close it with `close`. */
export class JssipClient {
  readonly #ua: UA;

  /** Resolves when the WebSocket is open. */
  static async open({ url, authority, uri, password }: JssipAccount): Promise<JssipClient> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const ua = new UA({
      sockets: new Socket(url, readFileSync(authority)),
      uri,
      register: false,
      session_timers: false,
      ...(password !== undefined && { password }),
    });
    ua.on('connected', () => resolve());
    ua.on('disconnected', ({ reason }) => reject(new Error(`the WebSocket was closed: ${reason}`)));
    ua.start();
    await promise;
    return new JssipClient(ua);
  }

  private constructor(ua: UA) {
    this.#ua = ua;
  }

  /** The status of the answer to REGISTER, after the one to a challenge. */
  register(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#ua.once('registered', ({ response }) => resolve(response.status_code));
    this.#ua.once('registrationFailed', ({ response }) => resolve(response.status_code));
    this.#ua.register();
    return promise;
  }

  async unregister(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ua.once('unregistered', () => resolve());
    this.#ua.unregister();
    await promise;
  }

  /** The call, or the status with which it was refused. */
  call(target: string): Promise<JssipCall | number> {
    const { promise, resolve, reject } = Promise.withResolvers<JssipCall | number>();
    let answer = '';
    const session = this.#ua.call(target, {
      mediaConstraints: { audio: false, video: false },
      eventHandlers: {
        sdp: ({ originator, sdp }) => {
          if (originator === 'remote') answer = sdp;
        },
        confirmed: () => resolve({ answer, hangUp: () => session.terminate() }),
        failed: ({ message, cause }) =>
          message !== null && 'status_code' in message ? resolve(message.status_code) : reject(new Error(cause)),
      },
    });
    return promise;
  }

  close(): void {
    this.#ua.stop();
  }
}

/** What JsSIP takes for a WebSocket; its own one cannot be told whom to trust. */
class Socket {
  readonly url: string;
  via_transport = 'WSS';
  readonly sip_uri: string;
  readonly #authority: Buffer;
  #socket: WebSocket | null = null;
  onconnect = (): void => undefined;
  ondisconnect = (_error: boolean, _code?: number, _reason?: string): void => undefined;
  // biome-ignore lint/suspicious/noExplicitAny: JsSIP's own type.
  ondata = (_data: any): void => undefined;

  constructor(url: string, authority: Buffer) {
    this.url = url;
    this.sip_uri = `sip:${new URL(url).host};transport=ws`;
    this.#authority = authority;
  }

  connect(): void {
    this.#socket = new WebSocket(this.url, 'sip', { ca: this.#authority })
      .on('open', () => this.onconnect())
      .on('message', data => this.ondata(String(data)))
      // A close follows, which is told.
      .on('error', () => undefined)
      .on('close', (code, reason) => this.ondisconnect(code !== 1000, code, String(reason)));
  }

  disconnect(): void {
    this.#socket?.close();
  }

  send(message: string): boolean {
    if (!this.isConnected()) return false;
    this.#socket!.send(message);
    return true;
  }

  isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  isConnecting(): boolean {
    return this.#socket?.readyState === WebSocket.CONNECTING;
  }
}

/** As much of a peer connection as JsSIP looks at. Its offer is one that Chromium has made; no media follows. */
class RecordedPeerConnection extends EventTarget {
  readonly iceGatheringState = 'complete';
  readonly iceConnectionState = 'new';
  localDescription: unknown = null;

  async createOffer() {
    return { type: 'offer', sdp: readOffer('chromium') };
  }

  async setLocalDescription(description: unknown) {
    this.localDescription = description;
  }

  async setRemoteDescription() {}

  getSenders() {
    return [];
  }

  close() {}
}

class Description {
  constructor(init: object) {
    Object.assign(this, init);
  }
}

// Where JsSIP looks for WebRTC.
Object.assign(globalThis, {
  window: globalThis,
  RTCPeerConnection: RecordedPeerConnection,
  RTCSessionDescription: Description,
});
