import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Logger } from '../observe/index.ts';
import type { App } from './app.ts';

/** Problem details, RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URI for the kind of problem; about:blank when the status says it all.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
  },
  { $id: 'Problem' },
);

export const PROBLEM_TYPE = 'application/problem+json';

/** RFC 9457 §4.2.1: with about:blank the title is the status phrase. */
export function problem(status: number, detail?: string): Static<typeof Problem> {
  const base = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Unknown', status };
  return detail === undefined ? base : { ...base, detail };
}

/** Ends a request with a problem. */
export function refuse(reply: FastifyReply, status: number, detail?: string): FastifyReply {
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem(status, detail)));
}

/** Answers errors and unknown paths with problem details; what went wrong on our side goes to the log, not to the client. */
export function answerProblems(app: App, log: Logger): void {
  app.setNotFoundHandler((request: FastifyRequest, reply) =>
    refuse(reply, 404, `Nothing is found at ${request.method} ${request.url.split('?', 1)[0]}`),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return refuse(reply, status, error.message);
    log.error({ err: error, method: request.method, url: request.url }, 'an HTTP request failed');
    return refuse(reply, status);
  });
}
