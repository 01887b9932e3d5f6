import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Static } from 'typebox';
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { DialcastError } from '../errors.ts';
import { announcedAddresses } from './addresses.ts';
import { readAuthorities } from './authorities.ts';
import type { ChannelConfig, Config, LadderRung, PlatformConfig } from './config.ts';
import { completeGuide, guideProblems } from './guide.ts';
import { type KeyPairFiles, readKeyPair } from './key-pair.ts';
import { parseNetwork } from './networks.ts';
import { type Problem, schemaProblems } from './problems.ts';
import { type CHANNEL_SCHEMA, CONFIG_SCHEMA, type PLATFORM_SCHEMA } from './schema.ts';
import { absoluteSource, completeSources, sourceRefusal, sourcesProblems } from './sources.ts';

export type ConfigFile = Static<typeof CONFIG_SCHEMA>;
type ChannelFile = Static<typeof CHANNEL_SCHEMA>;
type PlatformFile = Static<typeof PLATFORM_SCHEMA>;

export interface LoadOptions {
  readonly interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** URL schemes of the source kinds. */
  readonly sourceKinds: readonly string[];
  /** What is wrong with a source of a known kind, beyond its kind; null for nothing. */
  readonly sourceFault?: (source: string) => Pick<Problem, 'fault' | 'remedy'> | null;
}

/** What most platforms grant. */
const DEFAULT_EXPIRES_SECONDS = 600;

/** What of a rung of a ladder that does not say so. */
const DEFAULT_FRAME_RATE = 30;

const DEFAULTS = {
  domain: 'localhost',
  address: '0.0.0.0',
  http: { port: 8080 },
  sip: { udp: 5060, tcp: 5060, tlsPort: 5061 },
  media: { address: 'auto' as string | string[], port: 40_000, rtpPorts: '40002-40999' },
  guests: true,
  encoders: 'software' as const,
  hep: { port: 9060, captureId: 1 },
  cache: { folder: 'data/cache', sizeGB: 20 },
  limits: { viewers: 2000, connections: 10_000, connectionsPerAddress: 1_000, transcoderMemory: 1_024 },
};

/** Reads and checks a configuration file. Throws CONFIG_UNREADABLE, or CONFIG_INVALID naming every fault. */
export function loadConfig(path: string, options: LoadOptions): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DialcastError('CONFIG_UNREADABLE', `${path}: ${(cause as Error).message}`, { cause });
  }
  return parseConfig(text, path, options);
}

/** The same for a text; `path` names it in messages and is what `file:` sources are relative to. */
export function parseConfig(text: string, path: string, options: LoadOptions): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new DialcastError('CONFIG_UNREADABLE', `${path}:${line}:${col}: ${fault.message}`);
  }
  const value = toValue(document, path);
  const problems = schemaProblems(CONFIG_SCHEMA, value);
  const file = value as ConfigFile;
  const base = dirname(resolve(path));
  if (problems.length === 0)
    problems.push(
      ...meaningProblems(file, base, options),
      ...keyPairProblems(file, base),
      ...authorityProblems(file, base),
      ...guideProblems(file.guide ?? {}, base),
      ...sourcesProblems(file.sources ?? {}, base, options.sourceKinds),
    );
  if (problems.length > 0) {
    const text = problems.map(problem => describe(problem, path, document, lines)).join('\n');
    throw new DialcastError('CONFIG_INVALID', text);
  }
  return complete(file, base, options);
}

/** An empty file is a configuration of defaults. */
function toValue(document: Document, path: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    // An alias to nothing, or aliases of aliases that would fill the memory.
    throw new DialcastError('CONFIG_UNREADABLE', `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** The configuration that a file without a word in it gives. */
export function defaultConfig(options: LoadOptions): Config {
  return complete({}, process.cwd(), options);
}

function complete(file: ConfigFile, base: string, { interfaces, sourceKinds }: LoadOptions): Config {
  const media = { ...DEFAULTS.media, ...file.media };
  const { address: httpAddress = DEFAULTS.address, tls: httpTls, ...http } = file.http ?? {};
  const { address: sipAddress = DEFAULTS.address, tls: sipTls, ...sip } = file.sip ?? {};
  return {
    domain: file.domain ?? DEFAULTS.domain,
    http: {
      addresses: [httpAddress].flat(),
      ...DEFAULTS.http,
      ...http,
      tls: httpTls ? absoluteFiles(httpTls, base) : null,
    },
    sip: {
      addresses: [sipAddress].flat(),
      udp: DEFAULTS.sip.udp,
      tcp: DEFAULTS.sip.tcp,
      ...sip,
      tls: sipTls ? { port: DEFAULTS.sip.tlsPort, ...sipTls, ...absoluteFiles(sipTls, base) } : null,
    },
    media: {
      addresses: announcedAddresses(media.address, interfaces),
      port: media.port,
      rtpPorts: parseRange(media.rtpPorts),
    },
    guests: file.guests ?? DEFAULTS.guests,
    trusted: file.trusted ?? [],
    limits: { ...DEFAULTS.limits, ...file.limits },
    transcoders: { user: file.transcoders?.user ?? null },
    sources: completeSources(file.sources ?? {}, base, sourceKinds),
    trace: { hep: file.trace?.hep ? { ...DEFAULTS.hep, ...file.trace.hep } : null },
    encoders: file.encoders ?? DEFAULTS.encoders,
    guide: completeGuide(file.guide ?? {}, base),
    cache: completeCache(file.cache ?? {}, base),
    channels: (file.channels ?? []).map(channel => completeChannel(channel, base)),
    platforms: (file.platforms ?? []).map(platform => completePlatform(platform, base)),
  };
}

function completeChannel(channel: ChannelFile, base: string): ChannelConfig {
  const { title = channel.name, source, loop = false, ladder, ...rest } = channel;
  const sizes = ladder && { ladder: completeLadder(ladder) };
  return { ...rest, title, source: absoluteSource(source, base), loop, ...sizes };
}

function completeCache(cache: NonNullable<ConfigFile['cache']>, base: string): Config['cache'] {
  const { folder, sizeGB } = { ...DEFAULTS.cache, ...cache };
  return { folder: resolve(base, folder), sizeBytes: Math.round(sizeGB * 1e9) };
}

/** The largest first, so that the first that a viewer can take is the best for him. */
function completeLadder(ladder: NonNullable<ChannelFile['ladder']>): LadderRung[] {
  const rungs = ladder.map(({ width, height, frameRate = DEFAULT_FRAME_RATE, bitrateKbps }) => {
    return { width, height, frameRate, bitrateBps: bitrateKbps * 1000 };
  });
  return rungs.toSorted((a, b) => b.width * b.height * b.frameRate - a.width * a.height * a.frameRate);
}

function completePlatform(platform: PlatformFile, base: string): PlatformConfig {
  const { registrar, transport = null, ca, expires = DEFAULT_EXPIRES_SECONDS, ...account } = platform;
  return {
    ...account,
    registrar: { ...parseHostPort(registrar), transport },
    ca: ca === undefined ? null : resolve(base, ca),
    expiresSeconds: expires,
  };
}

/** What no schema sees: keys that have to agree with each other. */
function meaningProblems(file: ConfigFile, base: string, options: LoadOptions): Problem[] {
  const { sourceKinds, sourceFault = () => null } = options;
  const problems: Problem[] = [];
  const sources = completeSources(file.sources ?? {}, base, sourceKinds);
  const { rtpPorts, port, address } = { ...DEFAULTS.media, ...file.media };
  const { first, last } = parseRange(rtpPorts);
  const at = (...path: Problem['path']) => path;
  // RFC 3550 §11: RTP at an even port, RTCP at the next one.
  if (last > 65_535 || first < 1 || last < first + (first % 2) + 1) {
    const remedy = 'write a range with an even port and the next one in it, the lower first, e.g. 40002-40999';
    problems.push({ path: at('media', 'rtpPorts'), fault: `${rtpPorts} holds no pair of ports`, remedy });
  } else if (port >= first && port <= last) {
    const remedy = 'leave media.port out of the range';
    problems.push({ path: at('media', 'rtpPorts'), fault: `${rtpPorts} contains media.port ${port}`, remedy });
  }
  for (const each of address === 'auto' ? [] : [address].flat()) {
    if (isIP(each) !== 0) continue;
    const remedy = 'write auto, an IP address, or a list of IP addresses';
    problems.push({ path: at('media', 'address'), fault: `${each} is not an IP address`, remedy });
  }
  for (const [index, each] of (file.trusted ?? []).entries()) {
    if (parseNetwork(each) !== null) continue;
    const fault = `${each} is neither an IP address nor a network`;
    const remedy = 'write it like 192.0.2.10, 198.51.100.0/24 or 2001:db8::/64';
    problems.push({ path: at('trusted', index), fault, remedy });
  }
  const collector = file.trace?.hep?.address;
  if (collector !== undefined && isIP(collector) === 0) {
    const remedy = "write the Homer server's IP address";
    problems.push({ path: at('trace', 'hep', 'address'), fault: `${collector} is not an IP address`, remedy });
  }
  // Callers dial numbers and names alike, so a name must not be another channel's number either.
  const seen = new Map<string, number>();
  for (const [index, channel] of (file.channels ?? []).entries()) {
    for (const key of ['number', 'name'] as const) {
      const earlier = seen.get(String(channel[key])) ?? index;
      if (earlier !== index) {
        const fault = `${channel[key]} is channels[${earlier}]'s as well`;
        problems.push({ path: at('channels', index, key), fault, remedy: `give each channel a ${key} of its own` });
      }
      seen.set(String(channel[key]), earlier);
    }
    problems.push(...languageProblems(channel, index));
    if (channel.film === true && (channel.loop === true || !channel.source.startsWith('file:'))) {
      const fault = channel.loop === true ? 'a film that loops has no end' : 'no file is played';
      const remedy = 'have film: true where the source is one file: and does not loop';
      problems.push({ path: at('channels', index, 'film'), fault, remedy });
    }
    const scheme = /^([a-z][a-z0-9+.-]*):/.exec(channel.source)?.[1];
    if (scheme === undefined || !sourceKinds.includes(scheme)) {
      const known = sourceKinds.map(kind => `${kind}:`).join(', ');
      const fault = `${JSON.stringify(channel.source)} is of no known kind`;
      problems.push({ path: at('channels', index, 'source'), fault, remedy: `begin it with one of ${known}` });
      continue;
    }
    const problem = sourceFault(channel.source) ?? sourceRefusal(absoluteSource(channel.source, base), sources);
    if (problem !== null) problems.push({ path: at('channels', index, 'source'), ...problem });
  }
  for (const [index, { channel, registrar }] of (file.platforms ?? []).entries()) {
    const names = (file.channels ?? []).map(({ name }) => name);
    // What a playlist brings is not known yet.
    if (!names.includes(channel) && (file.guide?.playlists ?? []).length === 0) {
      const fault = `there is no channel named ${channel}`;
      const remedy = names.length === 0 ? 'make that channel' : `write one of ${names.join(', ')}`;
      problems.push({ path: at('platforms', index, 'channel'), fault, remedy });
    }
    const { port } = parseHostPort(registrar);
    if (port !== null && (port < 1 || port > 65_535)) {
      const fault = `${registrar} has a port that there is not`;
      problems.push({ path: at('platforms', index, 'registrar'), fault, remedy: 'write a port from 1 to 65535' });
    }
  }
  return problems;
}

/** Codes that look like one of ISO 639 and are none. */
function languageProblems(channel: ChannelFile, index: number): Problem[] {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  return (['audioLanguage', 'subtitles'] as const).flatMap(key => {
    const code = channel[key];
    if (code === undefined || names.of(code) !== undefined) return [];
    const remedy = 'write a code of ISO 639, e.g. de, ger or deu';
    return [{ path: ['channels', index, key], fault: `${code} is no language`, remedy }];
  });
}

/** Certificates that cannot be used, so that a check of the configuration finds them as well. */
function keyPairProblems(file: ConfigFile, base: string): Problem[] {
  return (['http', 'sip'] as const).flatMap(section => {
    const tls = file[section]?.tls;
    if (!tls) return [];
    const reading = readKeyPair(absoluteFiles(tls, base));
    if (!('fault' in reading)) return [];
    const { at, fault, remedy } = reading.fault;
    return [{ path: [section, 'tls', at], fault, remedy }];
  });
}

function authorityProblems(file: ConfigFile, base: string): Problem[] {
  return (file.platforms ?? []).flatMap(({ ca }, index) => {
    const reading = ca === undefined ? null : readAuthorities(resolve(base, ca));
    return reading !== null && 'fault' in reading ? [{ path: ['platforms', index, 'ca'], ...reading.fault }] : [];
  });
}

function absoluteFiles({ certificate, key }: KeyPairFiles, base: string): KeyPairFiles {
  return { certificate: resolve(base, certificate), key: resolve(base, key) };
}

/** `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. */
function parseHostPort(text: string): { host: string; port: number | null } {
  const [, host = '', port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? null : Number(port) };
}

function parseRange(text: string): { first: number; last: number } {
  const [first = 0, last = 0] = text.split('-').map(Number);
  return { first, last };
}

/** `file:line:column: key: fault; remedy`, at the key or, when it is missing, at what it is missing in. */
function describe({ path, fault, remedy }: Problem, file: string, document: Document, lines: LineCounter): string {
  let position = '';
  for (let depth = path.length; depth >= 0 && position === ''; depth--) {
    const node = nodeAt(document, path.slice(0, depth));
    if (node?.range == null) continue;
    const { line, col } = lines.linePos(node.range[0]);
    position = `:${line}:${col}`;
  }
  const key = path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`));
  return `${file}${position}: ${key.join('') || 'the file'}: ${fault}; ${remedy}`;
}

/** The key at this path, or the item of a list. */
function nodeAt(document: Document, path: Problem['path']): Node | null {
  const parent = path.length === 0 ? null : document.getIn(path.slice(0, -1), true);
  const key = isMap(parent)
    ? parent.items.map(pair => pair.key).find(each => isScalar(each) && String(each.value) === String(path.at(-1)))
    : document.getIn(path, true);
  return isNode(key) ? key : null;
}
