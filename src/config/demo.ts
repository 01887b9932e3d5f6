import { existsSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Config } from './config.ts';
import { type ChannelWish, withChannels } from './numbering.ts';

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

const FIRST_NUMBER = 101;

/** The configuration with the demo's channels added: a clock, a film, and every media file in the folder. */
export function withDemoChannels(config: Config, mediaFolder: string): Config {
  const film = `file:${join(mediaFolder, DEMO_FILM)}`;
  const wishes: ChannelWish[] = [
    { name: 'clock', title: 'Clock', source: 'testcard:', loop: false },
    { name: 'film', title: 'Evening over the hills', source: film, loop: true },
  ];
  const files = existsSync(mediaFolder) ? readdirSync(mediaFolder).sort() : [];
  for (const file of files) {
    const extension = extname(file);
    if (file === DEMO_FILM || file.startsWith('.') || !MEDIA.has(extension.toLowerCase())) continue;
    const title = file.slice(0, -extension.length).replace(/[_-]+/g, ' ').trim() || file;
    wishes.push({ title: title.slice(0, 100), source: `file:${join(mediaFolder, file)}`, loop: true });
  }
  const isNew = ({ source }: ChannelWish) => !config.channels.some(channel => channel.source === source);
  return { ...config, channels: withChannels(config.channels, wishes.filter(isNew), FIRST_NUMBER) };
}
