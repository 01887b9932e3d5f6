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

export function launchChromium(): Promise<Browser> {
  return launch({ executablePath: find('chromium')!, args: CHROMIUM_FLAGS, pipe: true });
}

export function launchFirefox(): Promise<Browser> {
  return launch({
    browser: 'firefox',
    executablePath: find('firefox-esr')!,
    extraPrefsFirefox: FIREFOX_PREFERENCES,
  });
}
