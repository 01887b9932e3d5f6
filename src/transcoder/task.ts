/** What a transcoder process is told on its standard input, as one line of JSON. */
export interface TranscoderTask {
  readonly channel: string;
  readonly source: string;
  readonly loop: boolean;
  readonly socketPath: string;
  readonly token: string;
}
