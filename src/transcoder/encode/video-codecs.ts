import {
  AV_HWDEVICE_TYPE_VAAPI,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_YUV420P,
  type AVHWDeviceType,
  type AVPixelFormat,
} from 'node-av/constants';
import type { Effort, HardwareKind, VideoRendition } from '../wire.ts';

/** One of FFmpeg's encoders and how we want it: one packet for each picture at once, no B-frames, a steady rate. */
export interface VideoCodec {
  readonly name: string;
  /** What it takes; pictures come in YUV 4:2:0. */
  readonly pixelFormat: AVPixelFormat;
  /** Where pictures have to be brought before it takes them. */
  readonly device: AVHWDeviceType | null;
  options(rendition: VideoRendition, effort: Effort): Readonly<Record<string, string | number>>;
}

/** Leaves room in 1200 bytes for the RTP header, the authentication tag and the start code. */
const SLICE_BYTES = 1100;

export const SOFTWARE: Readonly<Record<VideoRendition['codec'], VideoCodec>> = {
  h264: {
    name: 'libx264',
    pixelFormat: AV_PIX_FMT_YUV420P,
    device: null,
    options: ({ packetizationMode, bitrateBps }, effort) => ({
      preset: effort === 'full' ? 'superfast' : 'ultrafast',
      tune: 'zerolatency',
      profile: 'baseline',
      'forced-idr': 1,
      'x264-params': [
        'repeat-headers=1',
        'aud=0',
        'annexb=1',
        'scenecut=0',
        'bframes=0',
        // One slice a picture, so that it can be cut into equal packets; slices that fit one each for mode 0.
        packetizationMode === 0 ? `slice-max-size=${SLICE_BYTES}` : 'slices=1',
        'sliced-threads=0',
        `vbv-maxrate=${Math.round(bitrateBps / 1000)}`,
        `vbv-bufsize=${Math.round(bitrateBps / 1000)}`,
      ].join(':'),
    }),
  },
  vp8: {
    name: 'libvpx',
    pixelFormat: AV_PIX_FMT_YUV420P,
    device: null,
    options: (_, effort) => ({
      deadline: 'realtime',
      'cpu-used': effort === 'full' ? 8 : 16,
      'error-resilient': 'default',
      'lag-in-frames': 0,
      'auto-alt-ref': 0,
      'max-intra-rate': 450,
      // It cannot make a picture again that came out too large, but leave out the next.
      'drop-threshold': 30,
    }),
  },
};

/** H.264 in hardware, which is fast enough whatever it is asked. */
export const HARDWARE: Readonly<Record<HardwareKind, VideoCodec>> = {
  nvenc: {
    name: 'h264_nvenc',
    pixelFormat: AV_PIX_FMT_YUV420P,
    device: null,
    options: () => ({
      preset: 'p3',
      tune: 'ull',
      profile: 'baseline',
      rc: 'cbr',
      zerolatency: 1,
      delay: 0,
      'rc-lookahead': 0,
      'no-scenecut': 1,
      'forced-idr': 1,
      aud: 0,
    }),
  },
  qsv: {
    name: 'h264_qsv',
    pixelFormat: AV_PIX_FMT_NV12,
    device: null,
    options: () => ({
      preset: 'faster',
      profile: 'baseline',
      async_depth: 1,
      look_ahead: 0,
      low_delay_brc: 1,
      forced_idr: 1,
      aud: 0,
    }),
  },
  vaapi: {
    name: 'h264_vaapi',
    pixelFormat: AV_PIX_FMT_NV12,
    device: AV_HWDEVICE_TYPE_VAAPI,
    options: () => ({
      profile: 'constrained_baseline',
      rc_mode: 'CBR',
      async_depth: 1,
      idr_interval: 0,
      aud: 0,
      sei: 0,
    }),
  },
  v4l2: {
    name: 'h264_v4l2m2m',
    pixelFormat: AV_PIX_FMT_YUV420P,
    device: null,
    options: () => ({ num_output_buffers: 6, num_capture_buffers: 4 }),
  },
};

/** Null as hardware stands for software, which alone makes VP8, and slices that fit a packet each. */
export function videoCodecFor({ codec, packetizationMode }: VideoRendition, hardware: HardwareKind | null): VideoCodec {
  return hardware !== null && codec === 'h264' && packetizationMode === 1 ? HARDWARE[hardware] : SOFTWARE[codec];
}
