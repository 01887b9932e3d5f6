import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** Where a server's certificate and its private key are. */
export interface KeyPairFiles {
  /** PEM: the server's certificate, and after it those of the authorities between it and the root. */
  readonly certificate: string;
  /** PEM, without a passphrase. */
  readonly key: string;
}

/** What is in these files; fit for TLS. */
export interface KeyPair {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** What keeps the files from being used, and by which of the two keys it is configured. Never holds what is in them. */
export interface KeyPairFault {
  readonly at: keyof KeyPairFiles;
  readonly fault: string;
  readonly remedy: string;
}

export type KeyPairReading = { readonly pair: KeyPair } | { readonly fault: KeyPairFault };

/** Reads a certificate and its key, and makes sure that they belong together. */
export function readKeyPair(files: KeyPairFiles): KeyPairReading {
  const certificate = read(files, 'certificate');
  if (!Buffer.isBuffer(certificate)) return { fault: certificate };
  const key = read(files, 'key');
  if (!Buffer.isBuffer(key)) return { fault: key };
  const x509 = attempt(() => new X509Certificate(certificate));
  if (x509 === null) {
    const remedy = 'name a file that begins with -----BEGIN CERTIFICATE-----';
    return { fault: { at: 'certificate', fault: `${files.certificate} holds no certificate in PEM`, remedy } };
  }
  const privateKey = attempt(() => createPrivateKey(key));
  if (privateKey === null) {
    const remedy = 'name a file with a private key that needs no passphrase';
    return { fault: { at: 'key', fault: `${files.key} holds no private key in PEM that can be read`, remedy } };
  }
  if (!x509.checkPrivateKey(privateKey)) {
    const remedy = 'name the key with which the certificate was requested';
    return { fault: { at: 'key', fault: `${files.key} is not the key of ${files.certificate}`, remedy } };
  }
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    // OpenSSL's own rules: keys that are too short, digests that are broken.
    const fault = `${files.certificate} cannot serve TLS (${(error as Error).message})`;
    return { fault: { at: 'certificate', fault, remedy: 'name a certificate of today' } };
  }
  return { pair: { certificate, key } };
}

function read(files: KeyPairFiles, at: keyof KeyPairFiles): Buffer | KeyPairFault {
  try {
    return readFileSync(files[at]);
  } catch (error) {
    const fault = `${files[at]} cannot be read (${(error as NodeJS.ErrnoException).code})`;
    return { at, fault, remedy: 'check the path and the permissions' };
  }
}

function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}
