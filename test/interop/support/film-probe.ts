import type { Page } from 'puppeteer-core';

/** What a browser made of a film until it was satisfied, or the call over. */
export interface Showing {
  /** What the page says in the end. */
  readonly words: string;
  readonly isOver: boolean;
  /** The largest picture. */
  readonly width: number;
  readonly height: number;
  /** Looks at the picture, ten a second, that found it changed. */
  readonly changes: number;
  /** Tones of 1 kHz. */
  readonly beeps: number;
}

/** What satisfies. */
export type Wanted = Pick<Showing, 'width' | 'height' | 'changes' | 'beeps'>;

/** Calls a channel on its page and watches until it has shown what is wanted, or is over, or the time is. */
export async function watchFilm(page: Page, url: string, wanted: Wanted, timeoutMs: number): Promise<Showing> {
  await page.goto(url);
  const watch = async (wanted: Wanted, timeoutMs: number): Promise<Showing> => {
    const LOOK_MS = 100;
    const video = document.querySelector('video')!;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [32, 32];
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    const audio = new AudioContext({ sampleRate: 48_000 });
    const seen = { width: 0, height: 0, changes: 0, beeps: 0 };
    let last = '';
    let heard: MediaStreamTrack | null = null;

    const look = () => {
      const { videoWidth, videoHeight, srcObject } = video;
      const stream = srcObject as MediaStream | null;
      const [track] = stream?.getAudioTracks() ?? [];
      if (stream !== null && track !== undefined && track !== heard) {
        heard = track;
        listen(new MediaStream([track]));
      }
      if (videoWidth === 0) return;
      if (videoWidth * videoHeight > seen.width * seen.height) [seen.width, seen.height] = [videoWidth, videoHeight];
      context.drawImage(video, 0, 0, 32, 32);
      const now = context.getImageData(0, 0, 32, 32).data.join();
      if (now !== last) seen.changes++;
      last = now;
    };
    const listen = (stream: MediaStream) => {
      // The one audio node that runs without a module of its own, which the page's security policy would refuse.
      const processor = audio.createScriptProcessor(1024, 1, 1);
      let wasTone = true;
      processor.onaudioprocess = ({ inputBuffer }) => {
        const samples = inputBuffer.getChannelData(0);
        const coefficient = 2 * Math.cos((2 * Math.PI * 1000) / audio.sampleRate);
        let [energy, before, now] = [0, 0, 0];
        for (const sample of samples) {
          energy += sample * sample;
          [before, now] = [now, sample + coefficient * now - before];
        }
        const power = (2 * (before * before + now * now - coefficient * before * now)) / samples.length;
        const isTone = energy / samples.length > 1e-4 && power / energy > 0.5;
        if (isTone && !wasTone) seen.beeps++;
        wasTone = isTone;
      };
      audio.createMediaStreamSource(stream).connect(processor).connect(audio.destination);
    };

    const isOver = () => document.body.dataset.state === 'ended';
    const isSatisfied = () =>
      seen.width >= wanted.width &&
      seen.height >= wanted.height &&
      seen.changes >= wanted.changes &&
      seen.beeps >= wanted.beeps;
    await new Promise<void>(resolve => {
      const deadlineMs = performance.now() + timeoutMs;
      const looking = setInterval(() => {
        look();
        if (!isOver() && !isSatisfied() && performance.now() < deadlineMs) return;
        clearInterval(looking);
        resolve();
      }, LOOK_MS);
    });
    await audio.close();
    return { ...seen, isOver: isOver(), words: document.querySelector('#state')!.textContent ?? '' };
  };
  return page.evaluate(watch, wanted, timeoutMs);
}
