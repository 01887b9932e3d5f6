import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { copyFileSync, createReadStream, existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { basename, join } from 'node:path';
import { find } from '../interop/support/programs.ts';
import { Peer } from '../interop/support/testcard-stream.ts';

/** Small, so that eight transcoders and their peers leave the machine room. */
const PICTURE = 'testsrc2=size=320x180:rate=15';
const SOUND = 'sine=frequency=440:sample_rate=48000';
const SECONDS = 8;

/** One that is watched from the beginning to the end. */
export const STEADY = 'steady';

/** Is in the command line of the program that `exec:` runs, and of no other. */
const EXECUTED = 'executed.ts';

export interface SoakChannels {
  readonly channels: readonly { readonly number: number; readonly name: string; readonly source: string }[];
  /** What the command line of a program of a channel has in it. */
  readonly executed: string;
  close(): Promise<void>;
}

/** Eight channels of as many kinds with whoever sends to them, and a ninth; what they need is written into the folder. */
export async function openChannels(folder: string): Promise<SoakChannels> {
  const film = join(folder, 'film.mp4');
  const live = join(folder, 'live.ts');
  const executed = join(folder, EXECUTED);
  // B-frames have to be encoded anew; without them, and with key frames often enough, packets are passed through.
  encode(['-bf', '2', '-c:a', 'aac'], film);
  encode(['-bf', '0', '-c:a', 'libopus'], live);
  copyFileSync(live, executed);
  encode(['-bf', '2', '-c:a', 'aac', '-hls_list_size', '0', '-hls_time', '2'], join(folder, 'film.m3u8'));
  const [udp, rtp, srt, sdp] = [await freePorts(), await freePorts(), await freePorts(), await freePorts()];
  const description = join(folder, 'camera.sdp');
  writeFileSync(description, describeStream(sdp));
  const web = await serve(folder);
  const { port } = web.address() as { port: number };
  const peers = [
    send(live, '-f', 'mpegts', `udp://127.0.0.1:${udp}?pkt_size=1316`),
    send(film, '-f', 'rtp_mpegts', `rtp://127.0.0.1:${rtp}`),
    send(live, '-f', 'mpegts', `srt://127.0.0.1:${srt}`),
    send(live, '-an', '-f', 'rtp', `rtp://127.0.0.1:${sdp}`),
  ];
  for (const peer of peers) peer.start();
  const sources = {
    clock: 'testcard:',
    film: `file:${film}`,
    udp: `udp://127.0.0.1:${udp}`,
    rtp: `rtp://127.0.0.1:${rtp}`,
    srt: `srt://127.0.0.1:${srt}?mode=listener`,
    sdp: `sdp:${description}`,
    http: `http://127.0.0.1:${port}/film.m3u8`,
    exec: `exec:${[find('ffmpeg'), ...read(executed), '-f', 'mpegts', '-'].join(' ')}`,
    [STEADY]: `file:${film}`,
  };
  return {
    channels: Object.entries(sources).map(([name, source], index) => ({
      number: 101 + index,
      name,
      source,
      loop: true,
    })),
    executed,
    close: async () => {
      await Promise.all(peers.map(peer => peer.stop()));
      web.closeAllConnections();
      web.close();
      await once(web, 'close');
    },
  };
}

function encode(args: readonly string[], output: string): void {
  const inputs = ['-f', 'lavfi', '-i', PICTURE, '-f', 'lavfi', '-i', SOUND];
  const video = ['-c:v', 'libx264', '-g', '15', '-preset', 'ultrafast', '-profile:v', 'main', '-pix_fmt', 'yuv420p'];
  const all = ['-v', 'error', '-nostdin', '-y', ...inputs, '-t', `${SECONDS}`, ...video, ...args, output];
  execFileSync(find('ffmpeg')!, all, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** FFmpeg's arguments to play a file for ever, as fast as its time goes. */
function read(file: string): string[] {
  return ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy'];
}

function send(file: string, ...output: string[]): Peer {
  return new Peer('ffmpeg', [...read(file), ...output]);
}

function describeStream(port: number): string {
  return [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    's=Camera',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=video ${port} RTP/AVP 96`,
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1',
    '',
  ].join('\r\n');
}

/** An even UDP port that is free with the next one, for RTP and RTCP (RFC 3550 §11). */
async function freePorts(): Promise<number> {
  for (;;) {
    const first = await bind(0);
    const { port } = first.address();
    const second = port % 2 === 0 ? await bind(port + 1).catch(() => null) : null;
    first.close();
    second?.close();
    if (second !== null) return port;
  }
}

async function bind(port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** What is in the folder, under its name. */
async function serve(folder: string): Promise<Server> {
  const server = createServer(({ url = '' }, response) => {
    const file = join(folder, basename(url));
    if (!existsSync(file)) return response.writeHead(404).end();
    createReadStream(file).pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
