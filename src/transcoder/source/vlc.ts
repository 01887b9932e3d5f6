import { INPUT, type Input } from './input.ts';

/** MPEG-TS, with what every stream of it was: VLC transcodes nothing. */
const OUTPUT = '#standard{access=file,mux=ts,dst=-}';

/** Whatever VLC opens, by its MRL: `vlc:screen://`, `vlc:bluray:///dev/sr0`. It needs cvlc of VLC's packages. */
export function vlcInput(url: string): Input {
  const mrl = url.slice('vlc:'.length);
  const args = ['--intf', 'dummy', '--no-video-title-show', '--sout', OUTPUT, '--sout-keep', mrl, 'vlc://quit'];
  return { ...INPUT, format: 'mpegts', live: true, command: { file: 'cvlc', args }, stallMs: 10_000 };
}
