import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { find } from './programs.ts';

/**
 * ffmpeg as a receiver of H.264 over RTP: decodes so many pictures of what comes to `port`, and tells their size in the
 * end. `fmtp` is what the answer would say.
 */
export async function ffmpegDecoder(
  pictures: number,
  fmtp: string,
): Promise<{ readonly port: number; readonly size: Promise<string | null> }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  const sdp = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  const video = [`m=video ${port} RTP/AVP 99`, 'a=rtpmap:99 H264/90000', `a=fmtp:99 ${fmtp}`, ''];
  const input = ['-protocol_whitelist', 'pipe,udp,rtp', '-f', 'sdp', '-i', 'pipe:0'];
  const args = ['-hide_banner', '-nostats', ...input, '-frames:v', `${pictures}`, '-f', 'null', '-'];
  const ffmpeg = spawn(find('ffmpeg')!, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  ffmpeg.stdin.end([...sdp, ...video].join('\r\n'));
  let said = '';
  ffmpeg.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const size = once(ffmpeg, 'close').then(
    () => /Stream #0:0.*Video: wrapped_avframe.* (\d+x\d+)/.exec(said)?.[1] ?? null,
  );
  return { port, size };
}
