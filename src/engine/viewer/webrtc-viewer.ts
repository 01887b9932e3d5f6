import type { DtlsTransport } from '../dtls/index.ts';
import type { IceLite } from '../ice/index.ts';
import type { Path } from '../native.ts';
import { demultiplex } from '../rtp/index.ts';
import { RtcpSession } from './rtcp-session.ts';
import type { Lane, Viewer, ViewerPorts, ViewerStream } from './viewer.ts';

export interface WebrtcViewerOptions {
  readonly streams: readonly ViewerStream[];
  readonly cname: string;
  readonly ice: IceLite;
  readonly dtls: DtlsTransport;
  readonly ports: ViewerPorts;
  readonly nowMs: number;
}

/** ICE, DTLS handshake and the first media of a caller have to be there by then. */
const CONNECT_TIMEOUT_MS = 30_000;

/**
 * A browser: ICE-lite, then DTLS-SRTP, everything on one path (BUNDLE, rtcp-mux). Nothing but STUN is looked at until
 * a connectivity check proved that the sender knows our password and receives at its address.
 */
export class WebrtcViewer implements Viewer {
  readonly #options: WebrtcViewerOptions;
  readonly #rtcp: RtcpSession;
  readonly #createdAtMs: number;
  #path: Path | null = null;
  #connected = false;
  #lost = false;

  constructor(options: WebrtcViewerOptions) {
    this.#options = options;
    this.#createdAtMs = options.nowMs;
    this.#rtcp = new RtcpSession(options.streams, options.cname, options.ports);
  }

  receive(_lane: Lane, datagram: Buffer, path: Path, nowMs: number): void {
    switch (demultiplex(datagram)) {
      case 'stun':
        return this.#receiveStun(datagram, path, nowMs);
      case 'dtls':
        if (this.#path !== null) this.#afterDtls(this.#options.dtls.receive(datagram));
        return;
      case 'rtcp': {
        const compound = this.#options.dtls.unprotectRtcp(datagram);
        if (compound !== null) this.#rtcp.receive(compound);
      }
    }
  }

  confirm(): void {
    // ICE proves the address by itself.
  }

  tick(nowMs: number, nowUs: bigint): void {
    const { dtls, ice } = this.#options;
    this.#afterDtls(dtls.handleTimeout());
    if (ice.expired(nowMs)) this.#lose('the browser no longer answers');
    if (!this.#connected) {
      if (nowMs - this.#createdAtMs > CONNECT_TIMEOUT_MS) this.#lose('the browser did not connect');
      return;
    }
    for (const { compound } of this.#rtcp.reports(nowMs, nowUs)) this.#send(dtls.protectRtcp(compound));
  }

  close(): void {
    const { dtls } = this.#options;
    if (this.#connected) for (const { compound } of this.#rtcp.goodbyes()) this.#send(dtls.protectRtcp(compound));
    for (const datagram of dtls.close()) this.#send(datagram);
  }

  #receiveStun(datagram: Buffer, path: Path, nowMs: number): void {
    const { ice, ports } = this.#options;
    const { response, valid, selected } = ice.receive(datagram, path, nowMs);
    if (response !== null) ports.send('all', response, path);
    if (valid) {
      ports.proven(path);
      // The handshake need not wait for the nomination: the browser may begin it on the first pair that works.
      this.#path ??= path;
    }
    if (selected === null) return;
    this.#path = selected;
    if (this.#connected) this.#flow();
  }

  #afterDtls(datagrams: readonly Buffer[]): void {
    for (const datagram of datagrams) this.#send(datagram);
    const { dtls, ports } = this.#options;
    if (dtls.state === 'failed') return this.#lose(`DTLS failed: ${dtls.error}`);
    if (dtls.state === 'closed') return this.#lose('the browser closed the connection');
    if (dtls.state !== 'connected' || this.#connected) return;
    this.#connected = true;
    this.#flow();
    ports.connected();
  }

  #flow(): void {
    const { dtls, ports, streams } = this.#options;
    for (const { kind } of streams) ports.flow(kind, this.#path!, dtls.srtpKeys);
  }

  #send(datagram: Buffer | null): void {
    if (datagram !== null && this.#path !== null) this.#options.ports.send('all', datagram, this.#path);
  }

  #lose(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#options.ports.lost(reason);
  }
}
