import { existsSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Logger } from '../../observe/index.ts';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { refuse } from '../problem.ts';

export interface WatchPage {
  /** Folder with the built page. */
  readonly webRoot: string;
  /** SIP domain that the page calls. */
  readonly domain: string;
  readonly log: Logger;
}

/** Stands in the built page where the SIP domain belongs, so that the page can call without asking first. */
const DOMAIN_PLACEHOLDER = '%DIALCAST_DOMAIN%';

const Target = Type.Object({ target: Type.String({ maxLength: 128, description: 'Name or number of the channel' }) });

/** The watch page: `/` with the guide, `/watch/clock` with a channel that starts at once. */
export function watchRoutes(app: App, { channels }: HttpPorts, { webRoot, domain, log }: WatchPage): void {
  const index = join(webRoot, 'index.html');
  const html = existsSync(index) ? readFileSync(index, 'utf8').replace(DOMAIN_PLACEHOLDER, escapeHtml(domain)) : null;
  if (html === null) log.warn({ webRoot }, 'the watch page is not built; `npm run build` builds it');

  const page = (reply: FastifyReply, status: 200 | 404) => {
    if (html === null) return refuse(reply, 503, 'The watch page is not built; `npm run build` builds it');
    return reply.code(status).type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(html);
  };

  app.get('/', (_request, reply) => page(reply, 200));
  app.get('/watch/:target', { schema: { params: Target } }, (request, reply) => {
    const { target } = request.params;
    const known = channels().some(({ name, number }) => name === target || String(number) === target);
    // The page itself says in words that there is no such channel, and shows those that there are.
    return page(reply, known ? 200 : 404);
  });

  if (html === null) return;
  app.register(fastifyStatic, {
    root: webRoot,
    index: false,
    wildcard: false,
    globIgnore: ['index.html', '**/*.br', '**/*.gz'],
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // The names of assets carry a hash of their content, so they never change.
      const hashed = path.includes(`${sep}assets${sep}`);
      reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
