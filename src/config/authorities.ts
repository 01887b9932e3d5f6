import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What keeps a file from being used. */
export interface AuthoritiesFault {
  readonly fault: string;
  readonly remedy: string;
}

export type AuthoritiesReading = { readonly authorities: string } | { readonly fault: AuthoritiesFault };

/** Reads the certificates, in PEM, of the authorities that are trusted to sign others. */
export function readAuthorities(file: string): AuthoritiesReading {
  try {
    const authorities = readFileSync(file, 'utf8');
    // Throws where there is no certificate.
    new X509Certificate(authorities);
    return { authorities };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!code.startsWith('ERR_')) {
      return { fault: { fault: `${file} cannot be read (${code})`, remedy: 'check the path and the permissions' } };
    }
    const remedy = 'name a file that begins with -----BEGIN CERTIFICATE-----';
    return { fault: { fault: `${file} holds no certificate in PEM`, remedy } };
  }
}
