// The programs that the interop tests run, and how they come onto a Debian machine.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Package of each program or file. */
const PACKAGES = {
  chromium: 'chromium',
  'firefox-esr': 'firefox-esr',
  pulseaudio: 'pulseaudio',
  baresip: 'baresip-core',
  '/usr/lib/baresip/modules/avcodec.so': 'baresip-ffmpeg',
  linphonec: 'linphone-cli',
  sipp: 'sip-tester',
  ffmpeg: 'ffmpeg',
  dvblast: 'dvblast',
  kamailio: 'kamailio',
  '/usr/lib/x86_64-linux-gnu/kamailio/modules/websocket.so': 'kamailio-websocket-modules',
  '/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so': 'kamailio-tls-modules',
  rtpengine: 'rtpengine-daemon',
  cvlc: 'vlc-bin',
  '/usr/lib/x86_64-linux-gnu/vlc/plugins/stream_out/libstream_out_rtp_plugin.so': 'vlc-plugin-base',
  openssl: 'openssl',
  ip: 'iproute2',
  nft: 'nftables',
};

/** Installs what is missing when it may; tests whose programs are still missing then are skipped with that reason. */
export function installDebianPackages({ log }) {
  const packages = Object.keys(PACKAGES)
    .filter(program => !isThere(program))
    .map(program => PACKAGES[program]);
  if (packages.length === 0) return false;
  if (process.getuid?.() !== 0 || !isThere('apt-get')) {
    log(`not installed: ${packages.join(', ')} (that needs root and apt-get); the tests that use them are skipped`);
    return false;
  }
  log(`installing with apt-get: ${packages.join(', ')}`);
  apt('update', '-qq');
  if (apt('install', '-y', '-qq', '--no-install-recommends', ...packages) !== 0) {
    log('apt-get failed; the tests that use these packages are skipped');
  }
  return true;
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status;
}

function isThere(program) {
  const folders = isAbsolute(program) ? [''] : [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some(folder => {
    try {
      accessSync(join(folder, program), isAbsolute(program) ? constants.R_OK : constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
