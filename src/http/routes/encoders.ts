import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { Problem } from '../problem.ts';

const Kind = Type.Enum(['nvenc', 'qsv', 'vaapi', 'v4l2']);

const Encoders = Type.Object(
  {
    hardware: Type.Union([Kind, Type.Null()], { description: 'What encodes H.264; null for software' }),
    refused: Type.Array(Type.Object({ kind: Kind, reason: Type.String() }), {
      description: 'Hardware that was tried at the start and does not work, and why',
    }),
  },
  { $id: 'Encoders' },
);

export function encoderRoutes(app: App, { encoders }: HttpPorts): void {
  app.get(
    '/api/encoders',
    {
      schema: {
        summary: 'What there is to encode with',
        tags: ['operation'],
        response: { 200: Encoders, '5xx': Problem },
      },
    },
    async (_request, reply) => {
      const { hardware, refused } = encoders();
      return reply.header('cache-control', 'no-store').send({ hardware, refused: [...refused] });
    },
  );
}
