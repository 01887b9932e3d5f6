import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { Problem } from '../problem.ts';

export function metricsRoutes(app: App, { metrics }: HttpPorts): void {
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics in the text format of Prometheus',
        tags: ['operation'],
        response: { 200: Type.String(), '5xx': Problem },
      },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .header('cache-control', 'no-store')
        .send(await metrics.render()),
  );
}
