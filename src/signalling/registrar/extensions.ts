import type { Request } from '../message/index.ts';

/** Extensions that a registrar knows and other servers need not, by their option tags. */
export const REGISTRAR_EXTENSIONS = ['path', 'outbound', 'gruu'] as const;

/** Does the client say that it knows an extension, or that we must. */
export function knows(request: Request, extension: (typeof REGISTRAR_EXTENSIONS)[number]): boolean {
  return ['supported', 'require'].some(name => request.list(name).some(tag => tag.toLowerCase() === extension));
}
