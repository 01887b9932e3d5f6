import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('.', import.meta.url);

/** Names of the offers in this folder, without `.sdp`. */
export const OFFERS: readonly string[] = readdirSync(FOLDER)
  .filter(file => file.endsWith('.sdp'))
  .map(file => file.slice(0, -'.sdp'.length));

export function readOffer(name: string): string {
  return readFileSync(new URL(`${name}.sdp`, FOLDER), 'utf8');
}
