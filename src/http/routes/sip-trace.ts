import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { HttpPorts } from '../ports.ts';
import { Problem, refuse } from '../problem.ts';
import { isFromThisMachine } from '../security.ts';

const SipMessage = Type.Object(
  {
    order: Type.Integer({ description: '1 for the first of the call; what is missing was dropped' }),
    atMs: Type.Number({ description: 'Unix time in milliseconds' }),
    direction: Type.Union([Type.Literal('in'), Type.Literal('out')]),
    transport: Type.String({ description: 'Transport of the signalling' }),
    local: Type.String({ description: 'Our address and port' }),
    remote: Type.String({ description: "The other side's address and port" }),
    startLine: Type.String(),
    text: Type.String({ description: 'The whole message, without credentials and private texts' }),
  },
  { $id: 'SipMessage' },
);

const SipTrace = Type.Object(
  {
    call: Type.String(),
    sipCallId: Type.String(),
    messages: Type.Array(SipMessage),
    dropped: Type.Integer({ description: 'Messages that are not kept' }),
  },
  { $id: 'SipTrace' },
);

/** A trace names callers and where they are, and has what names a dialog: whoever reads it could end the call. */
export function sipTraceRoutes(app: App, { sipTrace }: HttpPorts): void {
  app.get(
    '/api/calls/:id/sip',
    {
      schema: {
        summary: 'The SIP messages of a call that is live or ended lately, for clients on the same machine',
        tags: ['calls'],
        params: Type.Object({ id: Type.String() }),
        response: { 200: SipTrace, '4xx': Problem, '5xx': Problem },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      if (!isFromThisMachine(request.raw)) {
        return refuse(reply, 403, 'A trace names callers: ask for it on the machine itself, at http://localhost');
      }
      const { id } = request.params;
      const trace = sipTrace(id);
      if (trace === null) return refuse(reply, 404, 'There is no such call, or it ended long ago');
      return reply.send({ call: id, ...trace, messages: [...trace.messages] });
    },
  );
}
