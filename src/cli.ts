import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { networkInterfaces, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, DEMO_FILM, defaultConfig, loadConfig, withDemoChannels } from './config/index.ts';
import { DialcastError, ERRORS } from './errors.ts';
import { createLogger } from './observe/index.ts';
import type { ServerPorts } from './server.ts';
import { makeDemoClip, SOURCE_KINDS, sourceFault } from './transcoder/index.ts';

const HELP = `Dialcast: television you can call.

Usage: dialcast COMMAND [options]

Commands:
  serve    run the server
  check    check the configuration and say what is wrong with it
  prepare [CHANNEL or FILE ...]
           have films ready before anybody calls; without names, every channel that is a film

Options:
  --config FILE   configuration (default: $DIALCAST_CONFIG, then dialcast.yaml if it is there)
  --demo          with serve: add a clock, a film, and every media file in ./media as channels
  --help          this text
  --version       the version

A running server ends with SIGTERM or Ctrl-C: it says goodbye to its callers first; a second one ends it at once.
`;

const DEFAULT_FILE = 'dialcast.yaml';
const NICENESS = 10;
const CLOSE_TIMEOUT_MS = 5_000;

/** As shells have it for what SIGINT ends. */
const INTERRUPTED = 130;

/** Exit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted. */
async function main(args: readonly string[]): Promise<number> {
  const parsed = parse(args);
  if (parsed === null) return 2;
  const { values, positionals } = parsed;
  if (values.help) return say(HELP);
  if (values.version) return say(`${version()}\n`);
  const [command, ...rest] = positionals;
  if (command === undefined) return misuse('no command');
  if (rest.length > 0 && command !== 'prepare') return misuse(`too much: ${rest}`);
  const file = values.config ?? process.env.DIALCAST_CONFIG ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null);
  switch (command) {
    case 'serve':
      return serve(file, values.demo);
    case 'check':
      return check(file);
    case 'prepare':
      return prepare(file, rest);
    default:
      return misuse(`unknown command ${command}`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        demo: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    });
  } catch (error) {
    misuse((error as Error).message);
    return null;
  }
}

function load(file: string | null): Config {
  const options = { interfaces: networkInterfaces(), sourceKinds: SOURCE_KINDS, sourceFault };
  return file === null ? defaultConfig(options) : loadConfig(file, options);
}

async function serve(file: string | null, demo: boolean): Promise<number> {
  process.title = 'dialcast';
  const mediaFolder = resolve('media');
  const loaded = load(file);
  const config = demo ? withDemoChannels(loaded, mediaFolder) : loaded;
  if (demo) await prepareDemo(mediaFolder);
  const log = createLogger({ level: process.env.DIALCAST_LOG_LEVEL ?? 'info' });
  // The other commands do without all that a server is made of.
  const { Server } = await import('./server.ts');
  const server = await Server.start(config, log);
  log.info({ ...server.ports }, 'ready');
  if (process.stderr.isTTY) process.stdout.write(summary(config, server.ports));
  const signalled = new Promise<NodeJS.Signals>(done => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, done);
  });
  const why = await Promise.race([signalled, server.failed]);
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => process.exit(1));
  if (typeof why === 'string') log.info({ signal: why }, 'closing');
  else log.error({ err: why }, 'closing after a failure');
  setTimeout(() => {
    log.error({}, 'closing took too long');
    process.exit(1);
  }, CLOSE_TIMEOUT_MS).unref();
  await server.close();
  log.info({}, 'closed');
  return typeof why === 'string' ? 0 : 1;
}

function check(file: string | null): number {
  const { channels, domain } = load(file);
  return say(`${file ?? 'the defaults'}: fine; domain ${domain}, ${channels.length} channels\n`);
}

/** Ctrl-C leaves what is prepared, and the next time it goes on from there. */
async function prepare(file: string | null, names: readonly string[]): Promise<number> {
  const { FilmPreparer, filmsOf } = await import('./prepare.ts');
  const config = load(file);
  const films = filmsOf(config, names);
  if (typeof films === 'string') return misuse(films);
  // Of this process and those that it starts: what is on air cannot wait.
  setPriority(NICENESS);
  const preparer = new FilmPreparer(config, process.stdout);
  let interrupted = false;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      interrupted = true;
      void preparer.stop();
    });
  }
  await preparer.prepare(films);
  if (!interrupted) return 0;
  return say('\ninterrupted; what is prepared stays\n') || INTERRUPTED;
}

async function prepareDemo(mediaFolder: string): Promise<void> {
  mkdirSync(mediaFolder, { recursive: true });
  const film = join(mediaFolder, DEMO_FILM);
  if (existsSync(film)) return;
  process.stderr.write('making the film of the demo (once, about ten seconds) ...\n');
  await makeDemoClip(film);
}

function summary({ channels, media, domain, http: { tls: secure } }: Config, ports: ServerPorts): string {
  const { http, udp, tcp, tls } = ports;
  const scheme = secure === null ? 'http' : 'https';
  const [first = domain] = media.addresses;
  const sip = Object.entries({ UDP: udp, TCP: tcp, TLS: tls }).flatMap(([name, port]) =>
    port === null ? [] : [`${name} ${port}`],
  );
  const list = channels.map(({ number, name, title }) => `  ${number}  ${title}  (sip:${name}@${first})`);
  return [
    '',
    `Dialcast is on: ${scheme}://localhost:${http}/`,
    ...media.addresses
      .filter(address => !address.includes(':'))
      .map(address => `                ${scheme}://${address}:${http}/`),
    `SIP phones call ${first}${sip.length > 0 ? `, ${sip.join(' or ')}` : ''}:`,
    ...list,
    '',
    '',
  ].join('\n');
}

function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function misuse(fault: string): number {
  process.stderr.write(`dialcast: ${fault}; see dialcast --help\n`);
  return 2;
}

function report(error: unknown): number {
  if (!(error instanceof DialcastError)) throw error;
  process.stderr.write(`${error.detail}\n${error.code}: ${ERRORS[error.code].meaning} ${ERRORS[error.code].remedy}\n`);
  return 1;
}

process.exit(await main(process.argv.slice(2)).catch(report));
