import { existsSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { ChannelConfig, Config } from './config.ts';

const MEDIA = new Set([
  '.mp4',
  '.m4v',
  '.mov',
  '.mkv',
  '.webm',
  '.ts',
  '.avi',
  '.mp3',
  '.ogg',
  '.flac',
  '.wav',
  '.m4a',
]);

/** The file of the demo's film channel, made at first start. */
export const DEMO_FILM = 'film.mp4';

/** The configuration with the demo's channels added: a clock, a film, and every media file in the folder. */
export function withDemoChannels(config: Config, mediaFolder: string): Config {
  const channels: ChannelConfig[] = [...config.channels];
  const add = (name: string, title: string, source: string, loop: boolean) => {
    const taken = new Set(channels.flatMap(channel => [channel.name, String(channel.number)]));
    if (channels.some(channel => channel.source === source)) return;
    let number = 101;
    while (taken.has(String(number))) number++;
    let unique = name;
    for (let suffix = 2; taken.has(unique); suffix++) unique = `${name}-${suffix}`;
    channels.push({ number, name: unique, title, source, loop });
  };
  add('clock', 'Clock', 'testcard:', false);
  add('film', 'Evening over the hills', `file:${join(mediaFolder, DEMO_FILM)}`, true);
  const files = existsSync(mediaFolder) ? readdirSync(mediaFolder).sort() : [];
  for (const file of files) {
    const extension = extname(file);
    if (file === DEMO_FILM || file.startsWith('.') || !MEDIA.has(extension.toLowerCase())) continue;
    const title = file.slice(0, -extension.length).replace(/[_-]+/g, ' ').trim() || file;
    add(slug(title), title.slice(0, 100), `file:${join(mediaFolder, file)}`, true);
  }
  return { ...config, channels };
}

/** A SIP user name from any title. */
function slug(title: string): string {
  const plain = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  return plain.slice(0, 60).replace(/^-+|-+$/g, '') || 'channel';
}
