import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import type { Browser } from 'puppeteer-core';
import { AWKWARD_INPUTS, SECONDS } from './support/awkward-inputs.ts';
import { launchChromium } from './support/browser.ts';
import { type Wanted, watchFilm } from './support/film-probe.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { SoundCard } from './support/sound-card.ts';
import { playOnWire } from './support/wire-player.ts';

/** Played at the same time: what two cores encode, and what they encode and a browser decodes. */
const AT_ONCE = { concurrency: 6 };
const WATCHED_AT_ONCE = { concurrency: 4 };
const PLAY_TIMEOUT_MS = 60_000;

/** Of due times, which no load moves: half a picture's time, and what a codec's blocks make of a tone's beginning. */
const MOST_OFFSET_MS = 50;
const MOST_LENGTH_ERROR_MS = 120;
const ENDLESS: Wanted = { width: 0, height: 0, changes: Number.MAX_SAFE_INTEGER, beeps: 0 };

/** What is no film, and what viewers are told of it. */
const NO_FILMS = [
  { name: 'an empty file', file: 'empty.mp4', content: '' },
  { name: 'a text', file: 'text.mkv', content: 'There was a time when meadow, grove and stream. '.repeat(90) },
];
const REFUSAL = /^This channel is off the air: it is no media file/;

describe('media as the world has them', { skip: OUTSIDE || missing('chromium', 'ffmpeg', 'pulseaudio') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dialcast-awkward-'));

  before(async () => {
    // What FFmpeg says of damaged media is for nobody.
    Log.setLevel(AV_LOG_FATAL);
    for (const { file, content } of NO_FILMS) writeFileSync(join(folder, file), content);
    for (const input of AWKWARD_INPUTS) await input.make(folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  describe('come to viewers whole, in their size, with picture and sound in step', AT_ONCE, () => {
    for (const { name, file, shown, hasSound, frameRate, isDamaged } of AWKWARD_INPUTS) {
      test(name, async t => {
        const { info, size, picturesAtMs, flashesAtMs, beepsAtMs, soundMs, overMs } = await playOnWire(
          join(folder, file),
          PLAY_TIMEOUT_MS,
        );
        const offsets = isDamaged ? [] : offsetsMs(flashesAtMs, beepsAtMs);
        const pictures = size && `${size.width}x${size.height}, ${picturesAtMs.length} pictures`;
        const lengthMs = Math.max(soundMs, (picturesAtMs.at(-1) ?? 0) - (picturesAtMs[0] ?? 0));
        t.diagnostic(
          `${[pictures, `${lengthMs.toFixed(0)} ms`, offsets.length > 0 && `beeps ${offsets.map(Math.round)} ms after flashes`].filter(Boolean).join(', ')}`,
        );
        assert.equal(info.audio !== null, hasSound);
        assert.deepEqual(size, shown);
        if (isDamaged) return assert.ok(picturesAtMs.length > 10 && soundMs < SECONDS * 1000 + MOST_LENGTH_ERROR_MS);
        const wantedMs = SECONDS * 1000;
        if (hasSound) assert.ok(Math.abs(soundMs - wantedMs) < MOST_LENGTH_ERROR_MS, `${soundMs} ms of sound`);
        // Its viewers are hung up on when it is over, and the machine may be busy with something else at that moment.
        assert.ok(overMs > wantedMs - MOST_LENGTH_ERROR_MS && overMs < wantedMs + 500, `over after ${overMs} ms`);
        if (shown === null) return assert.ok(beepsAtMs.length >= SECONDS - 1, `${beepsAtMs.length} beeps`);
        const most = SECONDS * frameRate;
        // Some may be left out by a machine that does something else at that moment.
        assert.ok(
          picturesAtMs.length > most * 0.7 && picturesAtMs.length <= most + 2,
          `${picturesAtMs.length} pictures`,
        );
        assert.ok(Math.abs(lengthMs - wantedMs) < MOST_LENGTH_ERROR_MS, `${lengthMs} ms of pictures`);
        if (!hasSound) return;
        assert.ok(offsets.length >= SECONDS - 2, `flashes at ${flashesAtMs}, beeps at ${beepsAtMs}`);
        assert.deepEqual(
          offsets.filter(ms => Math.abs(ms) > MOST_OFFSET_MS),
          [],
        );
      });
    }
  });

  describe('are watched with Chromium', () => {
    let server: DialcastServer;
    let sound: SoundCard;
    let browser: Browser;

    before(async () => {
      const films = [...AWKWARD_INPUTS, ...NO_FILMS].map(({ file }) => ({ name: file, loop: true, file }));
      const once = { name: 'once', loop: false, file: AWKWARD_INPUTS[0]!.file };
      const channels = [...films, once].map(({ name, loop, file }, index) => {
        return { number: index + 1, name, loop, source: `file:${join(folder, file)}` };
      });
      server = await DialcastServer.start({ channels });
      sound = await SoundCard.start();
      browser = await launchChromium(sound.environment);
    });
    after(async () => {
      await browser?.close();
      await sound?.stop();
      await server?.stop();
    });

    const watch = async (channel: string, wanted: Wanted) => {
      const page = await browser.newPage();
      try {
        // Pages behind others show nothing otherwise.
        await (await page.createCDPSession()).send('Emulation.setFocusEmulationEnabled', { enabled: true });
        return await watchFilm(page, `${server.origin(HOST)}/watch/${channel}`, wanted, PLAY_TIMEOUT_MS);
      } finally {
        await page.close();
      }
    };

    describe('in their size, moving, and heard', WATCHED_AT_ONCE, () => {
      for (const { name, file, shown, hasSound, isDamaged } of AWKWARD_INPUTS) {
        test(name, async t => {
          const size = shown ?? { width: 0, height: 0 };
          const changes = shown === null ? 0 : isDamaged ? 3 : 10;
          const wanted = { ...size, changes, beeps: hasSound && !isDamaged ? 2 : 0 };
          const { words, ...seen } = await watch(file, wanted);
          t.diagnostic(`${seen.width}x${seen.height}, ${seen.changes} changes, ${seen.beeps} beeps`);
          assert.deepEqual({ width: seen.width, height: seen.height }, size, words);
          assert.ok(!seen.isOver && seen.changes >= wanted.changes && seen.beeps >= wanted.beeps, words);
        });
      }
    });

    test('until they end', async () => {
      const { words } = await watch('once', ENDLESS);
      assert.equal(words, 'The film has ended.');
    });

    for (const { name, file } of NO_FILMS) {
      test(`but ${name} is refused, with the reason`, async () =>
        assert.match((await watch(file, ENDLESS)).words, REFUSAL));
    }
  });
});

/** From each flash to the beep that belongs to it. A codec hears a tone that is there at once before it begins. */
function offsetsMs(flashesAtMs: readonly number[], beepsAtMs: readonly number[]): number[] {
  return flashesAtMs.slice(1).flatMap(flashMs => {
    const [nearest] = beepsAtMs.map(beepMs => beepMs - flashMs).sort((a, b) => Math.abs(a) - Math.abs(b));
    return nearest !== undefined && Math.abs(nearest) < 500 ? [nearest] : [];
  });
}
