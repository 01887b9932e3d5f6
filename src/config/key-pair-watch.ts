import { type KeyPair, type KeyPairFault, type KeyPairFiles, readKeyPair } from './key-pair.ts';

export interface KeyPairWatchOptions {
  readonly files: KeyPairFiles;
  /** What is in use. */
  readonly pair: KeyPair;
  /** Calls back again and again; returns how to stop that. */
  readonly every: (intervalMs: number, callback: () => void) => () => void;
  /** The files hold another pair than before. */
  readonly onRenewed: (pair: KeyPair) => void;
  /** The files changed to something that cannot be used; told once for each fault. */
  readonly onFault: (fault: KeyPairFault) => void;
}

/**
 * How often the files are looked at. Looking works where notifications do not: over network file systems, through the
 * symbolic links that ACME clients and container platforms turn to the new files.
 */
const LOOK_INTERVAL_MS = 5_000;

/** Looks whether the files of a key pair have changed. Returns how to stop that. */
export function watchKeyPair({ files, pair, every, onRenewed, onFault }: KeyPairWatchOptions): () => void {
  let current = pair;
  let reported: string | null = null;
  return every(LOOK_INTERVAL_MS, () => {
    const reading = readKeyPair(files);
    if ('fault' in reading) {
      if (reading.fault.fault !== reported) onFault(reading.fault);
      reported = reading.fault.fault;
      return;
    }
    reported = null;
    const { certificate, key } = reading.pair;
    if (certificate.equals(current.certificate) && key.equals(current.key)) return;
    current = reading.pair;
    onRenewed(current);
  });
}
