import type { Page } from 'puppeteer-core';

/** What a browser made of the test card; times in milliseconds on the page's own clock. */
export interface Observation {
  /** Each new picture: when it was presented, and the Unix time that its squares tell. */
  readonly pictures: readonly { readonly atMs: number; readonly unixMs: number }[];
  /** When the white square appeared. */
  readonly flashesAtMs: readonly number[];
  /** When the 1 kHz tone began. */
  readonly beepsAtMs: readonly number[];
  /** Of all the sound's energy, the part within 100 Hz of 1 kHz, while there was any. */
  readonly toneShare: number;
  readonly width: number;
  readonly height: number;
}

/** Watches the page's video element for a while, picture by picture and sample by sample. */
export function observeTestcard(page: Page, seconds: number): Promise<Observation> {
  return page.evaluate(async (watchSeconds: number): Promise<Observation> => {
    const video = document.querySelector('video')!;
    const canvas = document.createElement('canvas');
    canvas.width = 768 + 64;
    canvas.height = 64;
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    const pictures: { atMs: number; unixMs: number }[] = [];
    const flashesAtMs: number[] = [];
    const beeps: number[] = [];
    let wasFlash = true;
    let over = false;

    const look = (_nowMs: number, { expectedDisplayTime }: VideoFrameCallbackMetadata) => {
      if (over) return;
      const scale = video.videoWidth / 1280;
      context.drawImage(video, 0, 0, 768 * scale, 16 * scale, 0, 0, 768, 16);
      context.drawImage(video, 1216 * scale, 656 * scale, 64 * scale, 64 * scale, 768, 0, 64, 64);
      const { data } = context.getImageData(0, 0, 832, 64);
      let unixMs = 0;
      for (let bit = 0; bit < 48; bit++) unixMs = unixMs * 2 + (data[4 * (8 * 832 + bit * 16 + 8)]! > 128 ? 1 : 0);
      pictures.push({ atMs: expectedDisplayTime, unixMs });
      const isFlash = data[4 * (32 * 832 + 800)]! > 128;
      if (isFlash && !wasFlash) flashesAtMs.push(expectedDisplayTime);
      wasFlash = isFlash;
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);

    const audio = new AudioContext({ sampleRate: 48_000 });
    const source = audio.createMediaStreamSource(video.srcObject as MediaStream);
    // The one audio node that runs without a module of its own, which the page's security policy would refuse.
    const processor = audio.createScriptProcessor(512, 1, 1);
    let wasTone = true;
    let tone = 0;
    let whole = 0;
    const blocks: { readonly atMs: number; readonly playbackMs: number }[] = [];
    processor.onaudioprocess = ({ inputBuffer, playbackTime }) => {
      const playbackMs = playbackTime * 1000;
      blocks.push({ atMs: performance.now(), playbackMs });
      const samples = inputBuffer.getChannelData(0);
      // Goertzel at 1 kHz: the tone's share of the block's energy.
      const coefficient = 2 * Math.cos((2 * Math.PI * 1000) / audio.sampleRate);
      let energy = 0;
      let before = 0;
      let last = 0;
      for (const sample of samples) {
        energy += sample * sample;
        [before, last] = [last, sample + coefficient * last - before];
      }
      const power = (2 * (before * before + last * last - coefficient * before * last)) / samples.length;
      const isTone = energy / samples.length > 1e-4 && power / energy > 0.7;
      if (isTone && !wasTone) beeps.push(playbackMs);
      wasTone = isTone;
      tone += Math.min(power, energy);
      whole += energy;
    };
    source.connect(processor).connect(audio.destination);

    await new Promise(resolve => setTimeout(resolve, watchSeconds * 1000));
    over = true;
    await audio.close();
    // A busy page is called back late, the audio clock is not late: of the callbacks around, the promptest says how the
    // two clocks stand to each other.
    const beepsAtMs = beeps.map(beepMs => {
      const around = blocks.filter(({ playbackMs }) => Math.abs(playbackMs - beepMs) < 500);
      return beepMs + Math.min(...around.map(({ atMs, playbackMs }) => atMs - playbackMs));
    });
    const { videoWidth: width, videoHeight: height } = video;
    return { pictures, flashesAtMs, beepsAtMs, toneShare: whole === 0 ? 0 : tone / whole, width, height };
  }, seconds);
}

/** What the squares of the picture tell that the page shows now. */
export function timeOnScreen(page: Page): Promise<number> {
  return page.evaluate(() => {
    const video = document.querySelector('video')!;
    const canvas = document.createElement('canvas');
    canvas.width = 768;
    canvas.height = 16;
    const context = canvas.getContext('2d')!;
    const scale = video.videoWidth / 1280;
    context.drawImage(video, 0, 0, 768 * scale, 16 * scale, 0, 0, 768, 16);
    const { data } = context.getImageData(0, 0, 768, 16);
    let told = 0;
    for (let bit = 0; bit < 48; bit++) told = told * 2 + (data[4 * (8 * 768 + bit * 16 + 8)]! > 128 ? 1 : 0);
    return told;
  });
}

/** Resolves when the page shows a picture that was made after this Unix time; rejects after the time-out. */
export async function pictureLaterThan(page: Page, unixMs: number, timeoutMs: number): Promise<void> {
  const isShown = (wanted: number) => {
    const video = document.querySelector('video')!;
    const canvas = document.createElement('canvas');
    canvas.width = 768;
    canvas.height = 16;
    const context = canvas.getContext('2d')!;
    const scale = video.videoWidth / 1280;
    context.drawImage(video, 0, 0, 768 * scale, 16 * scale, 0, 0, 768, 16);
    const { data } = context.getImageData(0, 0, 768, 16);
    let told = 0;
    for (let bit = 0; bit < 48; bit++) told = told * 2 + (data[4 * (8 * 768 + bit * 16 + 8)]! > 128 ? 1 : 0);
    return told > wanted;
  };
  await page.waitForFunction(isShown, { timeout: timeoutMs, polling: 50 }, unixMs);
}

/**
 * Milliseconds by which the beep comes after the flash that belongs to it: the median of the pairs in the second half
 * of the observation, since browsers take some seconds to bring a stream's picture and sound in step (Firefox moves
 * them by at most 80 ms a second).
 */
export function soundDelayMs({ flashesAtMs, beepsAtMs }: Observation): number {
  const settled = flashesAtMs.slice(Math.floor(flashesAtMs.length / 2));
  const delays = settled.flatMap(flash => {
    const nearest = beepsAtMs.map(beep => beep - flash).sort((a, b) => Math.abs(a) - Math.abs(b))[0];
    return nearest !== undefined && Math.abs(nearest) < 500 ? [nearest] : [];
  });
  return delays.sort((a, b) => a - b)[Math.floor(delays.length / 2)] ?? Number.NaN;
}
