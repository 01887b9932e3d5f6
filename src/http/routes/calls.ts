import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { Problem, refuse } from '../problem.ts';
import { isFromThisMachine } from '../security.ts';

const Film = Type.Object(
  {
    positionSeconds: Type.Number(),
    durationSeconds: Type.Number(),
    preparedSeconds: Type.Number({ description: 'As far as it can be sought' }),
    running: Type.Boolean({ description: 'Not while it is paused, on hold, or waits for what is to come' }),
    paused: Type.Boolean(),
  },
  { $id: 'Film' },
);

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
    film: Type.Union([Film, Type.Null()], { description: 'Where the viewer is; null when all watch the same' }),
  },
  { $id: 'Call' },
);

const Move = Type.Object(
  { positionSeconds: Type.Optional(Type.Number({ minimum: 0 })), paused: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

const Calls = Type.Object({ calls: Type.Array(Call) });

export function callRoutes(app: App, { calls, moveFilm }: HttpPorts): void {
  app.get(
    '/api/calls',
    { schema: { summary: 'Every live call', tags: ['calls'], response: { 200: Calls, '5xx': Problem } } },
    async (_request, reply) =>
      reply.header('cache-control', 'no-store').send({
        calls: calls().map(({ id, channel, transport, codecs, answeredAtMs, held, slateMs, film }) => ({
          id,
          channel,
          transport,
          codecs: [...codecs],
          since: answeredAtMs === null ? null : new Date(answeredAtMs).toISOString(),
          held,
          slateSeconds: Math.round(slateMs / 1000),
          film,
        })),
      }),
  );
  app.post(
    '/api/calls/:id/film',
    {
      schema: {
        summary: 'Has a viewer of a film go on from another place, or wait',
        description: 'Answered with where he is: at the key frame before what was wanted, or before what is prepared.',
        tags: ['calls'],
        params: Type.Object({ id: Type.String() }),
        body: Move,
        response: { 200: Film, '4xx': Problem, '5xx': Problem },
      },
    },
    async (request, reply) => {
      if (!isFromThisMachine(request.raw)) return refuse(reply, 403, 'Calls are moved from this machine alone');
      const moved = await moveFilm(request.params.id, request.body);
      return moved === null ? refuse(reply, 404, 'No such call watches a film') : reply.send(moved);
    },
  );
}
