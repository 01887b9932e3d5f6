import { AV_PIX_FMT_NV12, AV_PIX_FMT_VAAPI, AV_PIX_FMT_YUV420P } from 'node-av/constants';
import { FFmpegError, Frame, HardwareDeviceContext, HardwareFramesContext } from 'node-av/lib';
import { FilterChain } from '../filter-chain.ts';
import type { VideoCodec } from './video-codecs.ts';

/** Pictures that are in the hardware's memory at the same time: one that is encoded, those it refers to, and room. */
const POOL = 8;

/** Brings pictures in YUV 4:2:0 to what an encoder in hardware takes: its pixel format, and its memory where it wants that. */
export class Surfaces {
  readonly #size: { readonly width: number; readonly height: number };
  /** Null when the encoder takes YUV 4:2:0. */
  readonly #chain: FilterChain | null;
  readonly #device: HardwareDeviceContext | null = null;
  /** Null when the encoder takes pictures from our memory. */
  readonly frames: HardwareFramesContext | null = null;

  /** Throws what FFmpeg says when there is no such device. */
  constructor(codec: Pick<VideoCodec, 'pixelFormat' | 'device'>, { width, height }: { width: number; height: number }) {
    this.#size = { width, height };
    const isOurs = codec.pixelFormat === AV_PIX_FMT_YUV420P;
    const filters = [
      ['scale', ''],
      ['format', 'pix_fmts=nv12'],
    ] as const;
    this.#chain = isOurs ? null : new FilterChain('video', filters);
    if (codec.device === null) return;
    const device = new HardwareDeviceContext();
    FFmpegError.throwIfError(device.create(codec.device), 'opening the device');
    const frames = new HardwareFramesContext();
    frames.format = AV_PIX_FMT_VAAPI;
    frames.swFormat = AV_PIX_FMT_NV12;
    frames.width = width;
    frames.height = height;
    frames.initialPoolSize = POOL;
    frames.alloc(device);
    FFmpegError.throwIfError(frames.init(), 'allocating surfaces');
    this.#device = device;
    this.frames = frames;
  }

  /** The same picture as the encoder takes it, to be freed; null when the hardware does not. */
  async take(picture: Frame): Promise<Frame | null> {
    if (this.#chain === null) return picture.clone();
    const converted: Frame[] = [];
    const { width, height } = this.#size;
    const description = `video_size=${width}x${height}:pix_fmt=${picture.format}:time_base=1/1000000`;
    this.#chain.push(picture, description, frame => {
      converted.push(frame.clone()!);
    });
    const [ours] = converted;
    if (ours === undefined || this.frames === null) return ours ?? null;
    const surface = new Frame();
    surface.alloc();
    const isThere = this.frames.getBuffer(surface, 0) >= 0 && (await this.frames.transferData(surface, ours)) >= 0;
    ours.free();
    if (isThere) return surface;
    surface.free();
    return null;
  }

  close(): void {
    this.#chain?.close();
    this.frames?.free();
    this.#device?.free();
  }
}
