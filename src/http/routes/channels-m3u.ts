import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { GuideListing, HttpPorts } from '../ports.ts';
import { Problem } from '../problem.ts';
import { hostName } from '../security.ts';

/** The channels as other programs read them: a list in M3U with the attributes of IPTV. */
export function channelsM3uRoutes(app: App, { guide }: HttpPorts, domain: string): void {
  app.get(
    '/channels.m3u',
    {
      schema: {
        summary: 'Every channel with its SIP address, as M3U',
        tags: ['channels'],
        response: { 200: Type.String(), '5xx': Problem },
      },
    },
    async (request, reply) => {
      // To whoever reads the list "localhost" would be itself; what it asked is a way to us.
      const host = domain === 'localhost' ? (hostName(request.headers.host) ?? domain) : domain;
      return reply
        .type('audio/x-mpegurl; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(
          `#EXTM3U\n${guide(null)
            .map(channel => entry(channel, host))
            .join('')}`,
        );
    },
  );
}

function entry({ number, name, title, group, logo, guideId }: GuideListing, host: string): string {
  const attributes = { 'tvg-id': guideId, 'tvg-chno': String(number), 'tvg-logo': logo, 'group-title': group };
  const written = Object.entries(attributes).map(([key, value]) => (value === null ? '' : ` ${key}="${plain(value)}"`));
  return `#EXTINF:-1${written.join('')},${plain(title)}\nsip:${name}@${host}\n`;
}

/** M3U has no way to write a quote or a line feed in a value. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').replaceAll('"', "'");
}
