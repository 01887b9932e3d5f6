import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DialcastError } from '../errors.ts';

export interface ConfinementOptions {
  /** That a transcoder may use; it is ended beyond it. */
  readonly memoryBytes: number;
  /** As whom transcoders run; null for whom the server runs as, or nobody when that is root. */
  readonly user: string | null;
  /** Folders from which files may be read; none: of each source the folder in which it is. */
  readonly roots: readonly string[];
}

/** Whom a process runs as. */
interface Account {
  readonly name: string;
  readonly uid: number;
  /** The first is the main one. */
  readonly gids: readonly number[];
  /** May it still read all that root may, as far as it is let out at all. */
  readonly readsAny: boolean;
}

const CONFINE = fileURLToPath(new URL('../../build/confine', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What Node and V8 reserve at once and mostly never use: 640 MiB, measured, and room for another machine's measure. */
const RESERVED_BYTES = 2 ** 30;
/** Ten times what a transcoder has. */
const MOST_FILES = 256;

/** Who has what devices there are, where these groups are known. */
const DEVICE_GROUPS = ['video', 'render', 'audio'];

/** Programs and libraries, how names are looked up, whom TLS trusts, fonts, and what the kernel tells of the machine. */
const SYSTEM = [
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/opt', '/nix/store', '/proc', '/sys'],
  ...['/etc/ld.so.cache', '/etc/alternatives', '/etc/localtime', '/etc/fonts', '/etc/drirc', '/etc/vulkan'],
  ...['/etc/hosts', '/etc/host.conf', '/etc/nsswitch.conf', '/etc/gai.conf', '/etc/resolv.conf', '/etc/services'],
  ...['/etc/ssl/certs', '/etc/ssl/openssl.cnf', '/etc/pki', '/etc/ca-certificates'],
];

/** These run programs that the operator chose, which read what they need. */
const RUN_PROGRAMS = ['exec', 'vlc'];
const OPEN_FILES = ['file', 'sdp'];

/** How transcoders are started so that what they read can make them do little harm; see native/confine. */
export class Confinement {
  readonly memoryBytes: number;
  /** As whom, when that is another one than the server's own. */
  readonly user: { readonly name: string; readonly uid: number } | null;
  /** What this machine does not let us do, in words. */
  readonly lacks: readonly string[];
  readonly #options: ConfinementOptions;
  readonly #account: Account | null;
  readonly #works: boolean;

  /**
   * The closest that works here, found by trying. `program` is what will be run and has to be readable. Throws
   * CONFIG_INVALID when the user of the configuration cannot be had.
   */
  static choose(options: ConfinementOptions, program: string): Confinement {
    const account = accountOf(options.user);
    for (const each of account === null || options.user !== null ? [account] : [account, null]) {
      const confinement = new Confinement(options, each, true, []);
      const [file = '', ...args] = confinement.command('testcard:');
      const script = 'require("node:fs").accessSync(process.argv[1], 4)';
      const { status, stderr, error } = spawnSync(file, [...args, process.execPath, '-e', script, program], {
        encoding: 'utf8',
        env: {},
      });
      if (status === 0) {
        const lacks = [...stderr.matchAll(/^confine: without (.*)$/gm)].map(([, what]) => what!);
        if (each !== account) lacks.push(`another user: ${account?.name} cannot read ${program}`);
        if (each !== null) shareCompileCache(each.uid);
        return new Confinement(options, each, true, lacks);
      }
      if (each !== null && options.user !== null) {
        const why = error?.message ?? stderr.trim().split('\n').at(-1);
        throw new DialcastError('CONFIG_INVALID', `transcoders.user: ${each.name} cannot run ${program}: ${why}`);
      }
    }
    return new Confinement(options, null, false, ['any of it: build/confine does not run; npm run build makes it']);
  }

  private constructor(options: ConfinementOptions, account: Account | null, works: boolean, lacks: readonly string[]) {
    this.memoryBytes = options.memoryBytes;
    this.user = account;
    this.lacks = lacks;
    this.#options = options;
    this.#account = account;
    this.#works = works;
  }

  /** What goes before the program that plays this source, to be run in its place. */
  command(source: string): readonly string[] {
    if (!this.#works) return [];
    const account = this.#account;
    const paths = this.#readable(source);
    return [
      CONFINE,
      ...['--data', `${this.memoryBytes + RESERVED_BYTES}`, '--files', `${MOST_FILES}`],
      ...(account === null ? [] : ['--user', `${account.uid}:${account.gids.join(',')}`]),
      ...(account?.readsAny ? ['--read-any'] : []),
      ...(paths === null ? [] : [...paths.flatMap(path => ['--read', path]), '--use', '/dev']),
      '--',
    ];
  }

  /** Null when it may read what its user may. */
  #readable(source: string): readonly string[] | null {
    const scheme = source.split(':', 1)[0]!;
    if (RUN_PROGRAMS.includes(scheme)) return null;
    const own = [ROOT, dirname(realpathSync(process.execPath)), `${ROOT}/node_modules`, '/etc/resolv.conf'];
    const libraries = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter(Boolean);
    return [...SYSTEM, ...own.map(real), ...libraries, ...(OPEN_FILES.includes(scheme) ? this.#media(source) : [])];
  }

  #media(source: string): readonly string[] {
    const { roots } = this.#options;
    if (roots.length > 0) return roots;
    const path = source.slice(source.indexOf(':') + 1);
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    return [isFolder ? path : dirname(path)];
  }
}

function real(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** Null for the server's own. Throws CONFIG_INVALID when there is no such user, or we may not become him. */
function accountOf(name: string | null): Account | null {
  const isRoot = process.getuid?.() === 0;
  if (name === null && !isRoot) return null;
  const numbers = (command: string, ...args: string[]) => {
    try {
      const output = execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return output.trim().split(/\s+/).map(Number);
    } catch {
      return [];
    }
  };
  const [uid] = numbers('id', '-u', '--', name ?? 'nobody');
  if (name === null) {
    if (uid === undefined) return null;
    const [gid = uid] = numbers('id', '-g', '--', 'nobody');
    const devices = DEVICE_GROUPS.flatMap(group => groupId(group) ?? []);
    return { name: 'nobody', uid, gids: [gid, ...devices], readsAny: true };
  }
  if (uid === undefined) throw new DialcastError('CONFIG_INVALID', `transcoders.user: there is no user ${name}`);
  if (uid === process.getuid?.()) return null;
  if (!isRoot) throw new DialcastError('CONFIG_INVALID', `transcoders.user: only root may run transcoders as ${name}`);
  return { name, uid, gids: numbers('id', '-G', '--', name), readsAny: false };
}

/**
 * Node keeps its compile cache apart for each user. A transcoder gets ours, and cannot write there: it would take several
 * times as long to start without.
 */
function shareCompileCache(uid: number): void {
  const folder = process.env.NODE_COMPILE_CACHE;
  if (folder === undefined || !existsSync(folder)) return;
  const own = `-${process.getuid?.()}`;
  for (const name of readdirSync(folder).filter(each => each.endsWith(own))) {
    try {
      symlinkSync(name, join(folder, `${name.slice(0, -own.length)}-${uid}`));
    } catch {
      // It is there already, or cannot be: then it is slow, and works.
    }
  }
}

function groupId(group: string): number | null {
  try {
    return Number(execFileSync('getent', ['group', group], { encoding: 'utf8' }).split(':')[2]);
  } catch {
    return null;
  }
}
