import type { Request } from '../message/index.ts';

/** How long a subscription may live without being refreshed. */
export interface ExpiryLimits {
  readonly defaultSeconds: number;
  readonly leastSeconds: number;
  readonly mostSeconds: number;
}

/** What a SUBSCRIBE gets (RFC 6665 §4.2.1.1), 0 for one that ends; null when what it asks for is too brief (423). */
export function grantedSeconds(request: Request, limits: ExpiryLimits): number | null {
  const text = request.get('expires')?.trim() ?? '';
  const asked = /^\d{1,10}$/.test(text) ? Number(text) : limits.defaultSeconds;
  if (asked > 0 && asked < limits.leastSeconds) return null;
  return Math.min(asked, limits.mostSeconds);
}
