import { rename, rm } from 'node:fs/promises';
import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_LOG_FATAL,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_FLTP,
} from 'node-av/constants';
import { Codec, CodecContext, Dictionary, FFmpegError, FormatContext, Frame, Log, Packet, Rational } from 'node-av/lib';
import { Canvas, type Colour, pictureFrame } from './picture/index.ts';

const WIDTH = 1280;
const HEIGHT = 720;
const FRAME_RATE = 30;
const SECONDS = 12;
const SAMPLE_RATE_HZ = 48_000;
const AAC_SAMPLES = 1024;
const COLUMN = 2;
const SKY_BANDS = 180;

const SUN: Colour = [210, 62, 158];
/** From the horizon's glow to the night above, one colour a band. */
const SKY: readonly Colour[] = Array.from({ length: SKY_BANDS }, (_, band) => {
  const glow = band / (SKY_BANDS - 1);
  return [Math.round(40 + 105 * glow), Math.round(150 - 50 * glow), Math.round(124 + 40 * glow)];
});
/** Far to near: colour, height of the ridge, how many of its hills pass in one loop, and the hills' height. */
const HILLS: readonly { colour: Colour; ridge: number; passes: number; height: number }[] = [
  { colour: [84, 124, 142], ridge: 470, passes: 1, height: 46 },
  { colour: [58, 130, 136], ridge: 540, passes: 2, height: 38 },
  { colour: [34, 132, 130], ridge: 620, passes: 4, height: 30 },
];
/** Frequencies in hertz of six chords, two seconds each. */
const CHORDS: readonly (readonly number[])[] = [
  [220, 277.18, 329.63],
  [185, 220, 277.18],
  [146.83, 220, 293.66],
  [164.81, 246.94, 329.63],
  [220, 277.18, 440],
  [164.81, 207.65, 329.63],
];

/**
 * Makes the film of the demo: an evening over hills, with a slow tune. It ends as it begins, so that it can loop.
 * The file appears whole or not at all. Rejects with what FFmpeg says.
 */
export async function makeDemoClip(path: string): Promise<void> {
  const unfinished = `${path}.part`;
  try {
    await write(unfinished);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function write(path: string): Promise<void> {
  Log.setLevel(AV_LOG_FATAL);
  const output = new FormatContext();
  check(output.allocOutputContext2(null, 'mp4', path), 'preparing the file');
  const video = await openVideo();
  const audio = await openAudio();
  const streams = [video, audio].map(context => {
    const stream = output.newStream(null);
    check(context.parametersFromContext(stream.codecpar), 'describing a stream');
    stream.timeBase = context.timeBase;
    return stream;
  });
  check(await output.openOutput(), 'opening the file');
  check(await output.writeHeader(Dictionary.fromObject({ movflags: '+faststart' })), 'writing the header');
  using packet = new Packet();
  packet.alloc();
  const encode = async (index: 0 | 1, frame: Frame | null) => {
    const context = index === 0 ? video : audio;
    check(await context.sendFrame(frame), 'encoding');
    while ((await context.receivePacket(packet)) >= 0) {
      packet.streamIndex = index;
      packet.rescaleTs(context.timeBase, streams[index]!.timeBase);
      check(await output.interleavedWriteFrame(packet), 'writing');
    }
  };
  const canvas = new Canvas(WIDTH, HEIGHT);
  let samples = 0;
  for (let picture = 0; picture < SECONDS * FRAME_RATE; picture++) {
    drawEvening(canvas, picture / (SECONDS * FRAME_RATE));
    using frame = pictureFrame(canvas);
    frame.pts = BigInt(picture);
    await encode(0, frame);
    for (; samples / SAMPLE_RATE_HZ < (picture + 1) / FRAME_RATE; samples += AAC_SAMPLES) {
      using sound = playTune(samples);
      sound.pts = BigInt(samples);
      await encode(1, sound);
    }
  }
  await encode(0, null);
  await encode(1, null);
  check(await output.writeTrailer(), 'finishing the file');
  await output.closeOutput();
  output.freeContext();
  video.freeContext();
  audio.freeContext();
}

async function openVideo(): Promise<CodecContext> {
  const codec = Codec.findEncoderByName('libx264' as Parameters<typeof Codec.findEncoderByName>[0]);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = WIDTH;
  context.height = HEIGHT;
  context.pixelFormat = AV_PIX_FMT_YUV420P;
  context.timeBase = new Rational(1, FRAME_RATE);
  context.framerate = new Rational(FRAME_RATE, 1);
  context.gopSize = FRAME_RATE * 2;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  check(await context.open2(codec, Dictionary.fromObject({ preset: 'superfast', crf: 23 })), 'opening libx264');
  return context;
}

async function openAudio(): Promise<CodecContext> {
  const codec = Codec.findEncoderByName('aac' as Parameters<typeof Codec.findEncoderByName>[0]);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = SAMPLE_RATE_HZ;
  context.sampleFormat = AV_SAMPLE_FMT_FLTP;
  context.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  context.timeBase = new Rational(1, SAMPLE_RATE_HZ);
  context.bitRate = 96_000n;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  check(await context.open2(codec, null), 'opening aac');
  return context;
}

/** `phase` runs from 0 to 1 and around. */
function drawEvening(canvas: Canvas, phase: number): void {
  const turn = 2 * Math.PI * phase;
  const bandHeight = HEIGHT / SKY.length;
  for (const [band, colour] of SKY.entries()) canvas.rectangle(0, band * bandHeight, WIDTH, bandHeight, colour);
  canvas.disc(880 + 60 * Math.sin(turn), 330 + 40 * Math.cos(turn), 84, SUN);
  for (const { colour, ridge, passes, height } of HILLS) {
    for (let x = 0; x < WIDTH; x += COLUMN) {
      const along = (2 * Math.PI * 3 * x) / WIDTH + passes * turn;
      const top = ridge - height * (Math.sin(along) + 0.4 * Math.sin(2 * along + 1));
      canvas.rectangle(x, 2 * Math.round(top / 2), COLUMN, HEIGHT, colour);
    }
  }
}

/** 1024 samples of the tune: plucked notes of each chord in turn, fading before the next. */
function playTune(first: number): Frame {
  const samples = new Float32Array(AAC_SAMPLES);
  for (let index = 0; index < AAC_SAMPLES; index++) {
    const second = ((first + index) / SAMPLE_RATE_HZ) % SECONDS;
    const chord = CHORDS[Math.floor(second / 2) % CHORDS.length]!;
    for (const [note, frequencyHz] of chord.entries()) {
      const since = (second % 2) - note * 0.25;
      if (since < 0) continue;
      const envelope = Math.min(1, since * 50) * Math.exp(-2.2 * since);
      samples[index]! += 0.2 * envelope * Math.sin(2 * Math.PI * frequencyHz * since);
    }
  }
  return Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
    nbSamples: AAC_SAMPLES,
    format: AV_SAMPLE_FMT_FLTP,
    sampleRate: SAMPLE_RATE_HZ,
    channelLayout: AV_CHANNEL_LAYOUT_MONO,
  });
}

function check(code: number, doing: string): void {
  FFmpegError.throwIfError(code, doing);
}
