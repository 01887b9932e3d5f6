import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { Problem } from '../problem.ts';

const Platform = Type.Object(
  {
    registrar: Type.String(),
    user: Type.String({ description: 'SIP user name at the platform' }),
    channel: Type.String({ description: 'SIP user name of the channel' }),
    state: Type.Union([Type.Literal('trying'), Type.Literal('registered'), Type.Literal('failed')]),
    reason: Type.Union([Type.String(), Type.Null()], { description: 'Why it failed last' }),
  },
  { $id: 'Platform' },
);

const Platforms = Type.Object({ platforms: Type.Array(Platform) });

export function platformRoutes(app: App, { platforms }: HttpPorts): void {
  app.get(
    '/api/platforms',
    {
      schema: {
        summary: 'Every registration with a foreign platform',
        tags: ['platforms'],
        response: { 200: Platforms, '5xx': Problem },
      },
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send({ platforms: [...platforms()] }),
  );
}
