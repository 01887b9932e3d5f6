import { INPUT, type Input } from './input.ts';

/** MPEG-TS, with what every stream of it was: VLC transcodes nothing. */
const OUTPUT = '#standard{access=file,mux=ts,dst=-}';
/** Milliseconds that it holds back before it writes: it has a second and a half for networks, and this is a pipe. */
const HOLDS_BACK = '--sout-mux-caching=200';

/** Whatever VLC opens, by its MRL: `vlc:screen://`, `vlc:bluray:///dev/sr0`. It needs cvlc of VLC's packages. */
export function vlcInput(url: string): Input {
  const mrl = url.slice('vlc:'.length);
  const output = ['--sout', OUTPUT, '--sout-keep', HOLDS_BACK];
  const args = ['--intf', 'dummy', '--no-video-title-show', ...output, mrl, 'vlc://quit'];
  const command = { file: 'cvlc', args, refusesRoot: true };
  return { ...INPUT, format: 'mpegts', live: true, command, stallMs: 10_000 };
}
