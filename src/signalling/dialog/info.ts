import { type Request, type Response, respond } from '../message/index.ts';

/**
 * INFO in a dialog (RFC 6086). We know no package and say so; an INFO without one is older than packages (§4.2.2): keys
 * that were pressed, or a wish for a whole picture. It is taken and means nothing here.
 */
export function answerInfo(request: Request): Response {
  if (request.get('info-package') === null) return respond(request, 200);
  // §5.2.2: an empty Recv-Info names the packages that we take.
  return respond(request, 469, { headers: [['recv-info', '']] });
}
