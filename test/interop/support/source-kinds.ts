import { join } from 'node:path';
import { HOST } from './network.ts';
import { Peer } from './testcard-stream.ts';

/** What a peer has to do with. */
export interface Place {
  /** Ports of its own: this one and the next three. */
  readonly port: number;
  /** Everybody may read it. */
  readonly folder: string;
  /** The test card, for a minute and for some seconds. */
  readonly file: string;
  readonly shortFile: string;
  /** Port of an HTTP server for the folder. */
  readonly web: number;
}

/** A kind of source, and who is at the other end of it. */
export interface Kind {
  readonly name: string;
  readonly source: (place: Place) => string;
  readonly loop?: boolean;
  /** Who sends the test card there, again and again; nobody where there is only a file. */
  readonly peer?: (place: Place) => Peer;
  /** How many beeps are listened to, and how far from their flashes they may be. */
  readonly beeps?: number;
  readonly toleranceMs?: number;
}

const send = ({ file }: Place, ...output: readonly string[]) =>
  new Peer('ffmpeg', ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', ...output]);
const sendTs = (place: Place, url: string) => send(place, '-f', 'mpegts', url);

const vlc = (file: string, output: string) =>
  new Peer('cvlc', ['-q', '--loop', `file://${file}`, '--sout', output, '--sout-keep'], { asNobody: true });

/** FFmpeg's sender reports tell of each stream when its own output was opened, and not what belongs together. */
const NO_REPORTS = ['-f', 'rtp', '-rtpflags', 'skip_rtcp'];

export const KINDS: readonly Kind[] = [
  {
    name: 'file',
    source: ({ shortFile }) => `file:${shortFile}`,
    // Over its end twice.
    ...{ loop: true, beeps: 8, toleranceMs: 40 },
  },
  {
    name: 'udp',
    source: ({ port }) => `udp://127.0.0.1:${port}`,
    peer: place => sendTs(place, `udp://127.0.0.1:${place.port}?pkt_size=1316`),
  },
  {
    name: 'multicast',
    source: ({ port }) => `rtp://239.255.7.1:${port}?localaddr=${HOST}`,
    peer: place => send(place, '-f', 'rtp_mpegts', `rtp://239.255.7.1:${place.port}?localaddr=${HOST}&ttl=1`),
  },
  {
    name: 'srt-caller',
    source: ({ port }) => `srt://127.0.0.1:${port}?passphrase=a-long-passphrase`,
    peer: place => sendTs(place, `srt://127.0.0.1:${place.port}?mode=listener&passphrase=a-long-passphrase`),
  },
  {
    name: 'srt-listener',
    source: ({ port }) => `srt://127.0.0.1:${port}?mode=listener`,
    peer: place => sendTs(place, `srt://127.0.0.1:${place.port}`),
  },
  {
    name: 'rtmp-push',
    source: ({ port }) => `rtmp://127.0.0.1:${port}/live/studio#listen`,
    peer: place => send(place, '-f', 'flv', `rtmp://127.0.0.1:${place.port}/live/studio`),
  },
  {
    name: 'rtmp-pull',
    source: ({ port }) => `rtmp://127.0.0.1:${port}/live/studio`,
    peer: place => send(place, '-listen', '1', '-f', 'flv', `rtmp://127.0.0.1:${place.port}/live/studio`),
  },
  {
    name: 'rtsp',
    source: ({ port }) => `rtsp://127.0.0.1:${port}/card`,
    peer: ({ port, file }) => vlc(file, `#rtp{sdp=rtsp://127.0.0.1:${port}/card}`),
    // VLC's sender reports, every five seconds, have the time at which a picture is sent for that of its own.
    ...{ beeps: 7, toleranceMs: 150 },
  },
  {
    name: 'sdp',
    source: ({ folder }) => `sdp:${join(folder, 'card.sdp')}`,
    peer: place =>
      send(
        place,
        ...['-map', '0:v', ...NO_REPORTS, `rtp://127.0.0.1:${place.port}`],
        ...['-map', '0:a', '-c:a', 'libopus', ...NO_REPORTS, `rtp://127.0.0.1:${place.port + 2}`],
        ...['-sdp_file', join(place.folder, 'card.sdp')],
      ),
    // As far from each other as the first packets of the two.
    toleranceMs: 200,
  },
  {
    name: 'hls',
    source: ({ web }) => `http://127.0.0.1:${web}/live.m3u8`,
    peer: place =>
      send(place, ...['-f', 'hls', '-hls_time', '1', '-hls_flags', 'delete_segments', join(place.folder, 'live.m3u8')]),
  },
  {
    name: 'http',
    source: ({ port }) => `http://127.0.0.1:${port}/`,
    peer: place => send(place, '-listen', '1', '-f', 'mpegts', `http://127.0.0.1:${place.port}/`),
  },
  {
    name: 'exec',
    source: ({ port }) =>
      `exec:ffmpeg -v error -analyzeduration 500000 -f mpegts -i tcp://127.0.0.1:${port} -c copy -f mpegts -`,
    peer: place => sendTs(place, `tcp://127.0.0.1:${place.port}?listen=1`),
  },
  {
    name: 'vlc',
    source: ({ port }) => `vlc:http://127.0.0.1:${port}/`,
    peer: place => send(place, '-listen', '1', '-f', 'mpegts', `http://127.0.0.1:${place.port}/`),
  },
];
