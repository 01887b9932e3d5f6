import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';

const Health = Type.Object(
  {
    status: Type.Union([Type.Literal('ok'), Type.Literal('draining')]),
    uptimeSeconds: Type.Number(),
    callsActive: Type.Integer(),
  },
  { $id: 'Health' },
);

/** For load balancers and supervisors: 503 tells them to send nobody any more. */
export function healthRoutes(app: App, { health }: HttpPorts): void {
  app.get(
    '/healthz',
    { schema: { summary: 'Is the server well', tags: ['operation'], response: { 200: Health, 503: Health } } },
    async (_request, reply) => {
      const state = health();
      return reply
        .code(state.status === 'ok' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(state);
    },
  );
}
