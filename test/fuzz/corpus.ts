import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Delivery } from './target.ts';

const FOLDER = new URL('corpus/', import.meta.url);

/** Messages that once were a failure, each as a datagram and on a stream. */
export function corpus(): { readonly name: string; readonly deliveries: readonly Delivery[] }[] {
  const files = readdirSync(FOLDER).filter(file => file.endsWith('.dat'));
  return files.sort().map(name => {
    const bytes = readFileSync(new URL(name, FOLDER));
    const common = { bytes, remoteAddress: '127.0.0.1', cuts: [] };
    return { name, deliveries: [{ ...common, transport: 'udp' } as const, { ...common, transport: 'tcp' } as const] };
  });
}

/** Keeps a failing message under the name of its content; tells the name. */
export function keep({ bytes }: Delivery): string {
  const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.dat`;
  writeFileSync(new URL(name, FOLDER), bytes);
  return name;
}
