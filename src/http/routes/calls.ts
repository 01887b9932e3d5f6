import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { Problem } from '../problem.ts';

const Call = Type.Object(
  {
    id: Type.String(),
    channel: Type.String({ description: 'SIP user name of the channel' }),
    transport: Type.String({ description: 'Transport of the signalling' }),
    codecs: Type.Array(Type.String()),
    since: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'Time of the answer; null before',
    }),
    held: Type.Boolean(),
    slateSeconds: Type.Integer({ description: 'For so long it was shown the slate, since its source was out' }),
  },
  { $id: 'Call' },
);

const Calls = Type.Object({ calls: Type.Array(Call) });

export function callRoutes(app: App, { calls }: HttpPorts): void {
  app.get(
    '/api/calls',
    { schema: { summary: 'Every live call', tags: ['calls'], response: { 200: Calls, '5xx': Problem } } },
    async (_request, reply) =>
      reply.header('cache-control', 'no-store').send({
        calls: calls().map(({ id, channel, transport, codecs, answeredAtMs, held, slateMs }) => ({
          id,
          channel,
          transport,
          codecs: [...codecs],
          since: answeredAtMs === null ? null : new Date(answeredAtMs).toISOString(),
          held,
          slateSeconds: Math.round(slateMs / 1000),
        })),
      }),
  );
}
