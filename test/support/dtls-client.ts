import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** RFC 5764 §4.2. */
const EXPORTER = 'EXTRACTOR-dtls_srtp';

/** A certificate of the client's, made for one test. */
export interface Identity {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: X509Certificate;
}

export function makeIdentity(t: TestContext): Identity {
  const folder = mkdtempSync(join(tmpdir(), 'dtls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const args = ['req', '-x509', ...curve, '-nodes', '-subj', '/CN=peer', '-keyout', keyFile, '-out', certificateFile];
  const made = spawnSync('openssl', args, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  return { keyFile, certificateFile, certificate: new X509Certificate(readFileSync(certificateFile)) };
}

export interface ClientOptions {
  readonly identity: Identity | null;
  /** OpenSSL's names, separated by colons; null for none. */
  readonly profiles: string | null;
  readonly exportBytes: number;
  /** Takes each of the client's datagrams and returns the answers. */
  readonly receive: (datagram: Buffer) => readonly Buffer[];
}

/** `openssl s_client` over DTLS 1.2, with a loopback socket between it and the session under test. */
export class DtlsClient {
  readonly #child: ChildProcess;
  #output = '';
  #changed = Promise.withResolvers<void>();

  static async connect(t: TestContext, options: ClientOptions): Promise<DtlsClient> {
    const { identity, profiles, exportBytes, receive } = options;
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const child = spawn('openssl', [
      ...['s_client', '-dtls1_2', '-connect', `127.0.0.1:${socket.address().port}`],
      ...['-keymatexport', EXPORTER, '-keymatexportlen', String(exportBytes)],
      ...(profiles === null ? [] : ['-use_srtp', profiles]),
      ...(identity === null ? [] : ['-cert', identity.certificateFile, '-key', identity.keyFile]),
    ]);
    const client = new DtlsClient(child);
    t.after(() => {
      child.kill('SIGKILL');
      socket.close();
    });
    socket.on('message', (datagram, { port }) => {
      for (const answer of receive(datagram)) socket.send(answer, port, '127.0.0.1');
      client.#wake();
    });
    return client;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', text => {
        this.#output += text;
        this.#wake();
      });
    }
    child.once('exit', () => this.#wake());
  }

  /** Looks after each datagram and each line of the client's until there is something; the client's end is an error. */
  async until<T>(look: () => T | null | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== null && found !== false) return found;
      if (this.#child.exitCode !== null) throw new Error(`openssl ended:\n${this.#output}`);
      await this.#changed.promise;
    }
  }

  /** What the client exported for SRTP. */
  keyingMaterial(): Promise<Buffer> {
    return this.until(() => {
      const [, hex] = /Keying material: ([0-9A-F]+)\s/.exec(this.#output) ?? [];
      return hex === undefined ? null : Buffer.from(hex, 'hex');
    });
  }

  /** Has the client say goodbye. */
  quit(): void {
    this.#child.stdin?.write('Q\n');
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
