/** Time from pressing play on the watch page to the first frame on the screen, on a channel that is on air already. */

import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { launchChromium } from '../test/interop/support/browser.ts';
import { HOST, OUTSIDE } from '../test/interop/support/network.ts';
import { missing } from '../test/interop/support/programs.ts';
import { DialcastServer } from '../test/interop/support/server.ts';
import { until } from '../test/interop/support/until.ts';
import { quantile } from './support/distribution.ts';
import { HOLDER_PROGRAM, Holder } from './support/holder.ts';

const STARTS = 20;
const CHANNEL = 'clock';
const START_TIMEOUT_MS = 20_000;
/** The page has its list and its line by then, and the machine is quiet again. */
const SETTLE_MS = 1_000;
/** Spreads the presses over the time between two pictures, evenly and alike in each run. */
const PHASE_MS = 17;

/** Milliseconds from the press. */
interface Start {
  readonly answeredMs: number;
  readonly firstFrameMs: number;
}

process.exitCode = OUTSIDE ? enterNetwork() : await main();

/** Runs this bench again inside a network namespace of its own. */
function enterNetwork(): number {
  if (process.getuid?.() !== 0) {
    console.error('this bench needs a network namespace: run it as root, or behind `unshare --net scripts/network.sh`');
    return 2;
  }
  const network = fileURLToPath(new URL('../scripts/network.sh', import.meta.url));
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  return spawnSync('unshare', ['--net', network, ...again], { stdio: 'inherit' }).status ?? 1;
}

async function main(): Promise<number> {
  const absent = missing('chromium', HOLDER_PROGRAM);
  if (absent) {
    console.error(`this bench ${absent}`);
    return 2;
  }
  const server = await DialcastServer.start();
  const stops: (() => Promise<unknown>)[] = [() => server.stop()];
  try {
    const holder = await Holder.watch(server, CHANNEL);
    stops.push(() => holder.stop());
    const browser = await launchChromium();
    stops.push(() => browser.close());
    const page = await browser.newPage();
    const starts: Start[] = [];
    for (let index = 0; index < STARTS; index++) {
      await delay(index * PHASE_MS);
      starts.push(await start(page, server));
    }
    report(starts);
    return 0;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Opens the page anew, presses play and hangs up after the first frame. */
async function start(page: Page, server: DialcastServer): Promise<Start> {
  await page.goto(server.origin(HOST));
  await page.waitForSelector('#channels a');
  await delay(SETTLE_MS);
  await page.click('#channels a');
  const marks = await page.waitForFunction(
    () => {
      const at = (name: string) => performance.getEntriesByName(`dialcast:${name}`)[0]?.startTime;
      const [play, answered, firstFrame] = [at('play'), at('answered'), at('first-frame')];
      if (play === undefined || answered === undefined || firstFrame === undefined) return null;
      return { answeredMs: answered - play, firstFrameMs: firstFrame - play };
    },
    { timeout: START_TIMEOUT_MS, polling: 50 },
  );
  const measured = (await marks.jsonValue())!;
  await page.keyboard.press('Escape');
  await until('nobody but the holder to watch', async () => (await server.metric('dialcast_viewers')) === 1);
  return measured;
}

function report(starts: readonly Start[]): void {
  const parts = {
    'play to answered': starts.map(({ answeredMs }) => answeredMs),
    'answered to first frame': starts.map(({ answeredMs, firstFrameMs }) => firstFrameMs - answeredMs),
    'play to first frame': starts.map(({ firstFrameMs }) => firstFrameMs),
  };
  console.log(`${STARTS} starts on a warm channel, milliseconds`);
  for (const [name, values] of Object.entries(parts)) {
    const sorted = values.toSorted((a, b) => a - b).map(value => value.toFixed(0));
    const [p50, p95] = [quantile(values, 0.5), quantile(values, 0.95)].map(value => value.toFixed(0));
    console.log(`${name}: p50 ${p50}, p95 ${p95}; ${sorted.join(' ')}`);
  }
  const whole = parts['play to first frame'];
  console.log(
    JSON.stringify({ warm: { p50Ms: Math.round(quantile(whole, 0.5)), p95Ms: Math.round(quantile(whole, 0.95)) } }),
  );
}
