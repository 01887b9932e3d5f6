import { StallDetector } from './stall.ts';

export interface ScreenHandlers {
  /** The first frame is on the screen. */
  shown(): void;
  /** No media comes in any more. */
  stalled(): void;
  /** The sound was turned on or off, by the viewer or by the browser's autoplay rule. */
  soundChanged(): void;
}

const SAMPLE_INTERVAL_MS = 1_000;
/** Audio and video. */
const KINDS = 2;

/** The one video element: takes a connection's tracks, says when there is a picture and when it stalls. */
export class Screen {
  readonly #video: HTMLVideoElement;
  readonly #handlers: ScreenHandlers;
  /** Ends what belongs to the call on the screen. */
  #call = new AbortController();
  /** Did the browser forbid sound because the viewer has not touched the page yet. */
  #soundBlocked = false;

  constructor(video: HTMLVideoElement, handlers: ScreenHandlers) {
    this.#video = video;
    this.#handlers = handlers;
    video.addEventListener('volumechange', () => handlers.soundChanged());
  }

  /** Does what is on the screen have a picture, or sound alone. */
  get hasPicture(): boolean {
    const stream = this.#video.srcObject;
    return stream instanceof MediaStream && stream.getVideoTracks().length > 0;
  }

  get sound(): 'on' | 'off' | 'blocked' {
    if (!this.#video.muted && this.#video.volume > 0) return 'on';
    return this.#soundBlocked ? 'blocked' : 'off';
  }

  /** From 0 to 1. */
  get volume(): number {
    return this.#video.volume;
  }

  set volume(volume: number) {
    this.#video.volume = volume;
    this.#setMuted(volume === 0);
  }

  toggleSound(): void {
    const off = this.sound !== 'on';
    if (off && this.#video.volume === 0) this.#video.volume = 1;
    this.#setMuted(!off);
  }

  /** Puts the connection's tracks on the screen; frames follow once the call is answered. */
  attach(connection: RTCPeerConnection): void {
    this.clear();
    const { signal } = this.#call;
    this.#put(connection.getReceivers().map(({ track }) => track));
    const shown = () => {
      if (!signal.aborted) this.#handlers.shown();
    };
    this.#video.requestVideoFrameCallback(shown);
    // A hidden page presents no frames, and a channel without picture has none: there `playing` tells.
    const playing = () => {
      if (document.hidden || !this.hasPicture) shown();
    };
    this.#video.addEventListener('playing', playing, { signal });
  }

  /** The call was answered: takes away what the server refused to send, and watches the flow of the rest. */
  answered(connection: RTCPeerConnection): void {
    const sent = connection.getTransceivers().filter(({ currentDirection }) => currentDirection === 'recvonly');
    // The element would wait for a track that never comes, and doesn't notice when the stream loses it.
    if (sent.length < KINDS) this.#put(sent.map(({ receiver }) => receiver.track));
    const detector = new StallDetector(performance.now());
    const timer = setInterval(async () => {
      const octets = await octetsReceived(connection);
      if (!this.#call.signal.aborted && detector.sample(octets, performance.now())) this.#handlers.stalled();
    }, SAMPLE_INTERVAL_MS);
    this.#call.signal.addEventListener('abort', () => clearInterval(timer));
  }

  /** The call is over; its last picture stays until the next one comes. */
  release(): void {
    this.#call.abort();
    this.#call = new AbortController();
  }

  /** Takes the last picture away too. */
  clear(): void {
    this.release();
    this.#video.srcObject = null;
  }

  #put(tracks: MediaStreamTrack[]): void {
    this.#video.srcObject = new MediaStream(tracks);
    void this.#play();
  }

  async #play(): Promise<void> {
    try {
      await this.#video.play();
    } catch (error) {
      // Without a gesture browsers play only without sound; any other refusal is a newer call's `clear`.
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
      this.#soundBlocked = true;
      this.#video.muted = true;
      await this.#video.play().catch(() => undefined);
    }
  }

  #setMuted(muted: boolean): void {
    this.#soundBlocked = false;
    this.#video.muted = muted;
    this.#handlers.soundChanged();
  }
}

async function octetsReceived(connection: RTCPeerConnection): Promise<number> {
  let octets = 0;
  for (const report of (await connection.getStats()).values()) {
    if (report.type === 'inbound-rtp') octets += report.bytesReceived ?? 0;
  }
  return octets;
}
