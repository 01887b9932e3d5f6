import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';

/** The picture that a key frame shows by itself, to be freed; null when FFmpeg makes none of it. */
export async function decodeKeyFrame(codec: 'h264' | 'vp8', data: Uint8Array): Promise<Frame | null> {
  const decoder = Codec.findDecoderByName(codec as Parameters<typeof Codec.findDecoderByName>[0]);
  const context = new CodecContext();
  context.allocContext3(decoder);
  context.threadCount = 1;
  using packet = new Packet();
  packet.alloc();
  packet.data = Buffer.from(data);
  const frame = new Frame();
  frame.alloc();
  try {
    // On FFmpeg's own thread: a large picture would keep the sound waiting.
    if ((await context.open2(decoder, null)) >= 0 && (await context.sendPacket(packet)) >= 0) {
      await context.sendPacket(null);
      if ((await context.receiveFrame(frame)) >= 0) return frame;
    }
    frame.free();
    return null;
  } finally {
    context.freeContext();
  }
}
