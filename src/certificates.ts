import { type KeyPair, type KeyPairFiles, readAuthorities, readKeyPair, watchKeyPair } from './config/index.ts';
import { DialcastError } from './errors.ts';
import type { Logger } from './observe/index.ts';

/** Throws CONFIG_INVALID when the file was changed since the configuration was checked. */
export function trusted(file: string): string {
  const reading = readAuthorities(file);
  if ('authorities' in reading) return reading.authorities;
  throw new DialcastError('CONFIG_INVALID', `${reading.fault.fault}; ${reading.fault.remedy}`);
}

/** Throws CONFIG_INVALID when the files were changed since the configuration was checked. */
export function keyPair(files: KeyPairFiles): KeyPair {
  const reading = readKeyPair(files);
  if ('pair' in reading) return reading.pair;
  throw new DialcastError('CONFIG_INVALID', `${reading.fault.fault}; ${reading.fault.remedy}`);
}

/** Gives new certificates to who uses them. Returns how to stop that. */
export function renewed(files: KeyPairFiles, pair: KeyPair, log: Logger, use: (pair: KeyPair) => void): () => void {
  return watchKeyPair({
    files,
    pair,
    every: (intervalMs, callback) => {
      const timer = setInterval(callback, intervalMs).unref();
      return () => clearInterval(timer);
    },
    onRenewed: renewedPair => {
      use(renewedPair);
      log.info({ certificate: files.certificate }, 'certificate renewed');
    },
    onFault: ({ fault, remedy }) =>
      log.warn({ fault, remedy }, 'the new certificate cannot be used; the old one stays'),
  });
}
