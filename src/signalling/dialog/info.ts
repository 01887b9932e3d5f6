import { type Request, type Response, respond } from '../message/index.ts';

/** The key that was pressed, in either form that phones write it: `Signal=5` and a duration, or the key alone. */
const KEY_BODIES: Readonly<Record<string, RegExp>> = {
  'application/dtmf-relay': /^\s*signal\s*=\s*([0-9*#a-d])\s*(?:[\r\n]|$)/i,
  'application/dtmf': /^\s*([0-9*#a-d])\s*$/i,
};
/** A key and its duration are shorter. */
const MOST_OCTETS = 200;

/**
 * INFO in a dialog (RFC 6086). We know no package and say so; an INFO without one is older than packages (§4.2.2): keys
 * that were pressed, or a wish for a whole picture. It is taken; of keys `pressed` hears.
 */
export function answerInfo(request: Request, pressed: ((key: string) => void) | undefined): Response {
  // §5.2.2: an empty Recv-Info names the packages that we take.
  if (request.get('info-package') !== null) return respond(request, 469, { headers: [['recv-info', '']] });
  const key = keyOf(request);
  if (key !== null) pressed?.(key);
  return respond(request, 200);
}

function keyOf(request: Request): string | null {
  const type = /^[^;]*/
    .exec(request.get('content-type') ?? '')![0]
    .trim()
    .toLowerCase();
  if (!Object.hasOwn(KEY_BODIES, type) || request.body.length > MOST_OCTETS) return null;
  return KEY_BODIES[type]!.exec(request.body.toString('latin1'))?.[1]?.toUpperCase() ?? null;
}
