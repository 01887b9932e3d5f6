import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { GuideListing, HttpPorts, ProgrammeListing } from '../ports.ts';
import { Problem, refuse } from '../problem.ts';

/** What the answer holds of a week of many channels is as much as anybody shows. */
const MOST_MS = 7 * 24 * 3_600_000;

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

const Programme = Type.Object({
  start: Type.String({ format: 'date-time' }),
  stop: Type.String({ format: 'date-time' }),
  title: Type.String(),
  subtitle: nullable('Of the episode'),
  description: nullable('What it is about'),
  category: nullable('What it is'),
});

const GuideChannel = Type.Object(
  {
    number: Type.Integer(),
    name: Type.String({ description: 'SIP user name' }),
    title: Type.String(),
    group: nullable('What viewers find it under'),
    logo: nullable('URL of a picture'),
    guideId: nullable('Its id in XMLTV'),
    now: Type.Union([Programme, Type.Null()], { description: 'What is on' }),
    next: Type.Union([Programme, Type.Null()], { description: 'What is on after that' }),
    programmes: Type.Array(Programme, { description: 'What is on from `from` to `to`; empty without the two' }),
  },
  { $id: 'GuideChannel' },
);

const Guide = Type.Object({ channels: Type.Array(GuideChannel) });

const Window = Type.Object({
  from: Type.Optional(Type.String({ format: 'date-time', description: 'RFC 3339' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'RFC 3339; at most a week after `from`' })),
});

export function guideRoutes(app: App, { guide }: HttpPorts): void {
  app.get(
    '/api/guide',
    {
      schema: {
        summary: 'What is on every channel, now and next, and between two moments',
        tags: ['guide'],
        querystring: Window,
        response: { 200: Guide, '4xx': Problem, '5xx': Problem },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const { from, to } = request.query;
      if (from === undefined && to === undefined) return reply.send({ channels: guide(null).map(describe) });
      if (from === undefined || to === undefined) return refuse(reply, 400, 'from and to go together');
      const window = { fromMs: Date.parse(from), toMs: Date.parse(to) };
      const lengthMs = window.toMs - window.fromMs;
      if (!(lengthMs > 0 && lengthMs <= MOST_MS)) {
        return refuse(reply, 400, 'to must come after from, and at most a week after it');
      }
      return reply.send({ channels: guide(window).map(describe) });
    },
  );
}

function describe({ now, next, programmes, ...channel }: GuideListing) {
  return {
    ...channel,
    now: now && describeProgramme(now),
    next: next && describeProgramme(next),
    programmes: programmes.map(describeProgramme),
  };
}

function describeProgramme({ startMs, stopMs, ...texts }: ProgrammeListing) {
  return { start: new Date(startMs).toISOString(), stop: new Date(stopMs).toISOString(), ...texts };
}
