import { AV_CODEC_ID_DVB_SUBTITLE, AVMEDIA_TYPE_SUBTITLE } from 'node-av/constants';
import { Dictionary, FFmpegError, FormatContext, Packet, Rational } from 'node-av/lib';

const TICKS = new Rational(1, 90_000);

/** Adds DVB subtitles to what a file in MPEG-TS has: pages, each with the second of the file's time at which it is due. */
export async function addDvbSubtitles(
  from: string,
  to: string,
  language: string,
  pages: readonly { readonly atSeconds: number; readonly data: Buffer }[],
): Promise<void> {
  const input = new FormatContext();
  const output = new FormatContext();
  FFmpegError.throwIfError(await input.openInput(from), from);
  FFmpegError.throwIfError(await input.findStreamInfo(), from);
  FFmpegError.throwIfError(output.allocOutputContext2(null, 'mpegts', to), to);
  for (const stream of input.streams) stream.codecpar.copy(output.newStream().codecpar);
  const subtitles = output.newStream();
  subtitles.codecpar.codecType = AVMEDIA_TYPE_SUBTITLE;
  subtitles.codecpar.codecId = AV_CODEC_ID_DVB_SUBTITLE;
  // The composition page, the ancillary page, and the kind.
  subtitles.codecpar.extradata = Buffer.of(0, 1, 0, 1, 0x10);
  subtitles.metadata = Dictionary.fromObject({ language });
  await output.openOutput();
  FFmpegError.throwIfError(await output.writeHeader(), to);
  using packet = new Packet();
  packet.alloc();
  const waiting = [...pages];
  while ((await input.readFrame(packet)) >= 0) {
    const stream = input.streams[packet.streamIndex]!;
    const nowSeconds = (Number(packet.dts) * stream.timeBase.num) / stream.timeBase.den;
    packet.rescaleTs(stream.timeBase, output.streams[packet.streamIndex]!.timeBase);
    // Sent a little before they are due, as on the air.
    while (waiting[0] !== undefined && waiting[0].atSeconds - 0.3 <= nowSeconds) {
      using page = new Packet();
      page.alloc();
      page.data = waiting[0].data;
      page.pts = BigInt(Math.round(waiting[0].atSeconds * 90_000));
      page.dts = page.pts;
      page.rescaleTs(TICKS, subtitles.timeBase);
      page.streamIndex = subtitles.index;
      await output.writeFrame(page);
      waiting.shift();
    }
    await output.writeFrame(packet);
    packet.unref();
  }
  await output.writeTrailer();
  await output.closeOutput();
  await input.closeInput();
}
