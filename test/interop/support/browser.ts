import { type Browser, launch } from 'puppeteer-core';
import { find } from './programs.ts';

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** Plays without a click; asks nobody on the internet. */
const FIREFOX_PREFERENCES = {
  'media.autoplay.default': 0,
  'media.gmp-manager.updateEnabled': false,
  'app.normandy.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

/** `environment` is added to the browser's own. */
export type LaunchBrowser = (environment?: Readonly<Record<string, string>>) => Promise<Browser>;

/** `flags` are added to the test's own. */
export const launchChromium = (environment: Parameters<LaunchBrowser>[0] = {}, flags: readonly string[] = []) =>
  launch({
    executablePath: find('chromium')!,
    args: [...CHROMIUM_FLAGS, ...flags],
    pipe: true,
    env: { ...process.env, ...environment },
  });

export const launchFirefox: LaunchBrowser = environment =>
  launch({
    browser: 'firefox',
    executablePath: find('firefox-esr')!,
    extraPrefsFirefox: FIREFOX_PREFERENCES,
    env: { ...process.env, ...environment },
  });
