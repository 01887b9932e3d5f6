import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Certificates of a test, made with the openssl command in a folder of its own. Remove it with `remove`. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'dialcast-certificates-'));

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A self-signed authority; returns its certificate's path. */
  authority(): string {
    const [certificate, key] = [join(this.folder, 'ca.pem'), join(this.folder, 'ca.key')];
    openssl('req', '-x509', ...NEW_KEY, '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=Test CA');
    return certificate;
  }

  /** A server's certificate for these names and addresses, signed by itself or by the authority of this folder. */
  issue(name: string, names: readonly string[], signedBy: 'itself' | 'authority' = 'itself') {
    const [certificate, key] = [join(this.folder, `${name}.pem`), join(this.folder, `${name}.key`)];
    // Some phones look for an address among the names alone.
    const san = names.flatMap(each => [`DNS:${each}`, ...(isIP(each) === 0 ? [] : [`IP:${each}`])]).join();
    const signer =
      signedBy === 'itself' ? [] : ['-CA', join(this.folder, 'ca.pem'), '-CAkey', join(this.folder, 'ca.key')];
    const extensions = ['-addext', `subjectAltName=${san}`, '-addext', 'basicConstraints=critical,CA:FALSE'];
    const subject = ['-days', '2', '-subj', `/CN=${name}`];
    openssl('req', '-x509', ...NEW_KEY, ...signer, '-keyout', key, '-out', certificate, ...subject, ...extensions);
    return { certificate, key };
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
