import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { refuse } from '../problem.ts';

/** A new one is made about every ten seconds. */
const MAX_AGE_SECONDS = 5;

export function thumbnailRoutes(app: App, { thumbnail }: HttpPorts): void {
  app.get(
    '/api/channels/:name/thumbnail.jpg',
    {
      schema: {
        summary: 'A small picture of what is on a channel that is on air, as JPEG',
        tags: ['channels'],
        params: Type.Object({ name: Type.String({ maxLength: 128, description: 'Name or number of the channel' }) }),
      },
    },
    async (request, reply) => {
      const found = thumbnail(request.params.name);
      if (found === null) {
        reply.header('cache-control', 'no-store');
        return refuse(reply, 404, 'There is no such channel, or it is off the air');
      }
      const etag = `"${found.takenAtMs}"`;
      reply.headers({ etag, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply
        .header('last-modified', new Date(found.takenAtMs).toUTCString())
        .type('image/jpeg')
        .send(Buffer.from(found.jpeg));
    },
  );
}
