import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { parseConfig } from '../../../src/config/index.ts';
import { createLogger } from '../../../src/observe/index.ts';
import { Server, type ServerPorts } from '../../../src/server.ts';
import type { Credentials, SignallingOptions } from '../../../src/signalling/index.ts';
import { memoryCredentials } from '../../../src/signalling/testing.ts';
import { SOURCE_KINDS } from '../../../src/transcoder/index.ts';
import { Certificates } from '../../support/certificates.ts';
import { HOST } from './network.ts';

/** Domain of the accounts. */
export const REALM = 'example.org';

interface Accounts {
  readonly passwords: Readonly<Record<string, string>>;
  readonly algorithms?: NonNullable<NonNullable<SignallingOptions['authentication']>['algorithms']>;
}

interface Listing {
  readonly calls: readonly { readonly channel: string; readonly transport: string; readonly codecs: string[] }[];
}

/**
 * The whole server, with TLS and a clock channel for those who have an account. It runs in this process, since its
 * configuration names no accounts. End it with `stop`.
 */
export class AccountsServer {
  readonly #server: Server;
  readonly #certificates: Certificates;
  /** File with the certificate of who has signed the server's. */
  readonly authority: string;
  /** With which digest algorithms passwords were proved or tried. */
  readonly tried: ReadonlySet<string>;

  static async start({ passwords, algorithms }: Accounts): Promise<AccountsServer> {
    const certificates = new Certificates();
    const authority = certificates.authority();
    const tls = certificates.issue('tv', [HOST, '127.0.0.1'], 'authority');
    const file = stringify({
      domain: REALM,
      http: { port: 0, tls },
      sip: { udp: 0, tcp: 0, tls: { port: 0, ...tls } },
      media: { port: 0 },
      guests: false,
      channels: [{ number: 101, name: 'clock', title: 'Clock', source: 'testcard:' }],
    });
    const options = { interfaces: networkInterfaces(), sourceKinds: SOURCE_KINDS };
    const config = parseConfig(file, 'accounts.yaml', options);
    const tried = new Set<string>();
    const memory = memoryCredentials(passwords);
    const credentials: Credentials = {
      ha1: (user, realm, algorithm) => {
        tried.add(algorithm);
        return memory.ha1(user, realm, algorithm);
      },
    };
    const accounts = { realm: REALM, credentials, ...(algorithms && { algorithms }) };
    const server = await Server.start(config, createLogger({ level: 'silent' }), accounts);
    return new AccountsServer(server, certificates, authority, tried);
  }

  private constructor(server: Server, certificates: Certificates, authority: string, tried: ReadonlySet<string>) {
    this.tried = tried;
    this.#server = server;
    this.#certificates = certificates;
    this.authority = authority;
  }

  get ports(): ServerPorts {
    return this.#server.ports;
  }

  async calls(): Promise<Listing['calls']> {
    return (JSON.parse(await this.#get('/api/calls')) as Listing).calls;
  }

  /** How many accounts have a phone that is registered. */
  async registrations(): Promise<number> {
    return Number(/^dialcast_sip_registrations (\d+)$/m.exec(await this.#get('/metrics'))![1]);
  }

  #get(path: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    get(`https://127.0.0.1:${this.ports.http}${path}`, { ca: readFileSync(this.authority) }, response =>
      text(response).then(resolve, reject),
    ).on('error', reject);
    return promise;
  }

  async stop(): Promise<void> {
    await this.#server.close();
    this.#certificates.remove();
  }
}
