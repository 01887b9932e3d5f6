import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from './support/browser.ts';
import { HOST, OUTSIDE } from './support/network.ts';
import { missing } from './support/programs.ts';
import { DialcastServer } from './support/server.ts';
import { pictureLaterThan } from './support/testcard-probe.ts';

describe('the watch page', { skip: OUTSIDE || missing('chromium') }, () => {
  let server: DialcastServer;
  let browser: Browser;
  let page: Page;

  before(async () => {
    server = await DialcastServer.start();
    browser = await launchChromium();
    page = await browser.newPage();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('calls again by itself when the server was gone and is back', { timeout: 60_000 }, async () => {
    const { http, media } = server.ports;
    await page.goto(`${server.origin(HOST)}/watch/clock`);
    await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });

    const exited = once(server.process, 'exit');
    server.process.kill('SIGKILL');
    await exited;
    await page.waitForSelector('body[data-state="reconnecting"]', { timeout: 5_000 });
    server = await DialcastServer.start({ http: { port: http }, media: { port: media } });

    await page.waitForSelector('body[data-state="watching"]', { timeout: 20_000 });
    await pictureLaterThan(page, Date.now(), 5_000);
  });

  test('says in words that there is no such channel', { timeout: 20_000 }, async () => {
    const response = await page.goto(`${server.origin(HOST)}/watch/nowhere`);
    assert.equal(response?.status(), 404);
    await page.waitForSelector('body[data-state="ended"]');
    assert.equal(await page.$eval('#state', ({ textContent }) => textContent), 'There is no such channel.');
  });
});
