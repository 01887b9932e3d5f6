import { readdirSync, readFileSync } from 'node:fs';

/** A message of RFC 4475 or RFC 5118. */
export interface TortureVector {
  readonly rfc: 4475 | 5118;
  /** As the RFC names it, without `.dat`. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** Every message of both, in the order of their names. */
export function tortureVectors(): TortureVector[] {
  return ([4475, 5118] as const).flatMap(rfc => {
    const folder = new URL(`rfc${rfc}/`, import.meta.url);
    const files = readdirSync(folder).filter(file => file.endsWith('.dat'));
    return files.sort().map(file => ({ rfc, name: file.slice(0, -4), bytes: readFileSync(new URL(file, folder)) }));
  });
}
