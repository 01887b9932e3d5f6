import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium, launchFirefox } from './support/browser.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { SoundCard } from './support/sound-card.ts';
import { observeTestcard, soundDelayMs } from './support/testcard-probe.ts';
import { until } from './support/until.ts';

interface Listing {
  calls: { channel: string; transport: string; codecs: string[] }[];
}

const WATCH_SECONDS = 24;

const BROWSERS = [
  { name: 'Chromium', program: 'chromium', launch: launchChromium, codec: 'h264' },
  { name: 'Firefox', program: 'firefox-esr', launch: launchFirefox, codec: 'vp8' },
] as const;

for (const { name, program, launch, codec } of BROWSERS) {
  describe(`${name} on the watch page`, { skip: OUTSIDE || missing(program, 'pulseaudio') }, () => {
    let server: DialcastServer;
    let sound: SoundCard;
    let browser: Browser;
    let page: Page;

    before(async () => {
      server = await DialcastServer.start();
      sound = await SoundCard.start();
      browser = await launch(sound.environment);
      page = await browser.newPage();
      // Painted without a graphics card, a small window leaves the processor to the decoders.
      await page.setViewport({ width: 480, height: 320 });
    });
    after(async () => {
      await browser?.close();
      await sound?.stop();
      await server?.stop();
    });

    test(`calls the clock and shows its time in ${codec}, with sound in step`, { timeout: 60_000 }, async t => {
      await page.goto(server.origin(HOST));
      await page.locator('#channels a').click();
      await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });
      const { calls } = await server.api<Listing>('/api/calls');
      assert.deepEqual(
        calls.map(({ channel, transport, codecs }) => ({ channel, transport, codecs })),
        [{ channel: 'clock', transport: 'ws', codecs: [codec, 'opus'] }],
      );

      const seen = await observeTestcard(page, WATCH_SECONDS);
      assert.deepEqual([seen.width, seen.height], [1280, 720]);
      const times = seen.pictures.map(({ unixMs }) => unixMs);
      // A busy browser draws the next picture already, and then that one again.
      const pictures = new Set(times).size;
      assert.ok(pictures > 12 * WATCH_SECONDS, `only ${pictures} pictures in ${WATCH_SECONDS} s`);
      assert.ok(
        times.every((time, index) => index === 0 || time >= times[index - 1]!),
        'the squares of a picture tell a time before that of the picture before',
      );
      const age = Date.now() - times.at(-1)!;
      assert.ok(age >= 0 && age < 2_000, `the last picture is ${age} ms old`);
      assert.ok(seen.toneShare > 0.8, `of the sound's energy only ${seen.toneShare} is at 1 kHz`);
      const delayMs = soundDelayMs(seen);
      t.diagnostic(
        `${pictures} pictures in ${WATCH_SECONDS} s; the beep comes ${delayMs.toFixed(0)} ms after the flash`,
      );
      assert.ok(Math.abs(delayMs) < 100, `the beep comes ${delayMs} ms after the flash`);
    });

    test('hangs up, and nothing is left', { timeout: 30_000 }, async () => {
      await page.keyboard.press('Escape');
      await page.waitForSelector('body[data-state="idle"]');
      await until('no call', async () => (await server.api<Listing>('/api/calls')).calls.length === 0);
      await until('no viewer', async () => (await server.metric('dialcast_viewers')) === 0);
    });
  });
}
