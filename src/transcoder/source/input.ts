/** How FFmpeg is to open a source. Each kind has a file of its own that makes one from a URL. */
export interface Input {
  /** What FFmpeg opens; empty with a command. */
  readonly url: string;
  /** FFmpeg's name of the container; null when it is to find out. */
  readonly format: string | null;
  /** FFmpeg's options for the protocol and the container. */
  readonly options: Readonly<Record<string, string>>;
  /** Protocols that may be used, also by what a playlist names: it must not make us read what somebody else chose. */
  readonly protocols: readonly string[];
  /**
   * Has it a clock of its own and no end: then it is opened again when it ends. Null when that is to be seen from whether
   * it has a duration.
   */
  readonly live: boolean | null;
  /** Does the other side call us, whenever it likes: then there is no time in which to be open. */
  readonly listens: boolean;
  /** A program whose standard output is the container. */
  readonly command: Command | null;
  /** Silence after which a live source is given up, once all that was read of it is played. */
  readonly stallMs: number;
  /** Looks at what FFmpeg would have no good words for: the fault, or null. */
  check(): Promise<string | null>;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Does it refuse to run as root, so that it runs as nobody then. */
  readonly refusesRoot?: boolean;
}

/** What most kinds have in common. */
export const INPUT: Input = {
  url: '',
  format: null,
  options: {},
  protocols: [],
  live: null,
  listens: false,
  command: null,
  stallMs: 5_000,
  check: async () => null,
};

/** How long a peer may take to answer, in FFmpeg's unit: microseconds. */
export const TIMEOUT_US = '5000000';

/**
 * Cuts off the fragment, where the operator writes what is for us and not for the other side:
 * `rtsp://camera/1#transport=udp`.
 */
export function splitFragment(url: string): { readonly url: string; readonly settings: URLSearchParams } {
  const at = url.indexOf('#');
  if (at < 0) return { url, settings: new URLSearchParams() };
  return { url: url.slice(0, at), settings: new URLSearchParams(url.slice(at + 1)) };
}
