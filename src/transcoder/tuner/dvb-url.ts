import { isIPv4 } from 'node:net';

/** What a `dvb:` URL asks for. */
export interface DvbSource {
  /** What cannot be tuned to two things at once: `0` for /dev/dvb/adapter0, `1/2` for another frontend, or an address. */
  readonly card: string;
  /** Is there a frontend, whose signal can be read. */
  readonly hasSignal: boolean;
  /** dvblast's arguments for the input; sources of one card that share them share the multiplex. */
  readonly tuning: readonly string[];
  /** The tuning in words: `dvb-t2 586 MHz`. */
  readonly words: string;
  /** The programme: its service id, or its name. */
  readonly service: number | string;
}

/** Why a `dvb:` URL can't be one, and what to write instead. */
export interface DvbFault {
  readonly fault: string;
  readonly remedy: string;
}

interface Parameter {
  /** dvblast's option. */
  readonly option: string;
  readonly pattern: RegExp;
  /** What to write. */
  readonly hint: string;
  /** dvblast's value; the text itself when left out. */
  readonly value?: (text: string, hzPerUnit: number) => string;
}

const QAM = 'qam_16|qam_32|qam_64|qam_128|qam_256';
const PSK = 'qpsk|psk_8|apsk_16|apsk_32';

const PARAMETERS: Readonly<Record<string, Parameter>> = {
  frequency: {
    option: '--frequency',
    pattern: /^\d{2,5}(\.\d{1,6})?$/,
    hint: 'MHz, such as 586 or 11493.75',
    value: (text, hzPerUnit) => String(Math.round((Number(text) * 1_000_000) / hzPerUnit)),
  },
  bandwidth: { option: '--bandwidth', pattern: /^([5-9]|10)$/, hint: 'MHz, 5 to 10' },
  symbolRate: {
    option: '--symbol-rate',
    pattern: /^\d{3,5}(\.\d{1,3})?$/,
    hint: 'thousands of symbols a second, such as 6900 or 27500',
    value: text => String(Math.round(Number(text) * 1_000)),
  },
  polarisation: {
    option: '--voltage',
    pattern: /^[hvlr]$/,
    hint: 'h, v, l or r',
    value: text => (text === 'h' || text === 'l' ? '18' : '13'),
  },
  modulation: { option: '--modulation', pattern: new RegExp(`^(${QAM}|${PSK})$`), hint: `one of ${QAM}|${PSK}` },
  satellite: { option: '--diseqc', pattern: /^[1-4]$/, hint: "the DiSEqC switch's input, 1 to 4" },
  plp: { option: '--dvb-plp-id', pattern: /^\d{1,3}$/, hint: 'the id of a physical layer pipe, 0 to 255' },
};

interface System {
  /** dvblast's name. */
  readonly name: string;
  /** dvblast's unit of frequencies. */
  readonly hzPerUnit: number;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const SATELLITE = ['frequency', 'symbolRate', 'polarisation'];

const SYSTEMS: Readonly<Record<string, System>> = {
  'dvb-t': { name: 'DVBT', hzPerUnit: 1, required: ['frequency', 'bandwidth'], optional: ['modulation'] },
  'dvb-t2': { name: 'DVBT2', hzPerUnit: 1, required: ['frequency', 'bandwidth'], optional: ['modulation', 'plp'] },
  'dvb-c': { name: 'DVBC_ANNEX_A', hzPerUnit: 1, required: ['frequency', 'symbolRate'], optional: ['modulation'] },
  'dvb-s': { name: 'DVBS', hzPerUnit: 1_000, required: SATELLITE, optional: ['satellite'] },
  // dvblast takes a satellite's multiplex for DVB-S unless a modulation is named.
  'dvb-s2': { name: 'DVBS2', hzPerUnit: 1_000, required: [...SATELLITE, 'modulation'], optional: ['satellite'] },
};

const EXAMPLE = 'dvb://0?system=dvb-t2&frequency=586&bandwidth=8#770';

/**
 * Reads `dvb://ADAPTER[/FRONTEND]?system=…&frequency=…#SERVICE`, or `dvb:udp://ADDRESS:PORT#SERVICE` (or `rtp:`) for a
 * multiplex that comes over IP.
 */
export function parseDvbUrl(url: string): DvbSource | DvbFault {
  const at = url.indexOf('#');
  const input = at < 0 ? url : url.slice(0, at);
  const service = at < 0 ? null : parseService(url.slice(at + 1));
  if (service === null) {
    return {
      fault: 'it names no programme of the multiplex',
      remedy: `end it with # and a service id from 1 to 65535, or the service's name, e.g. ${EXAMPLE}`,
    };
  }
  const tuned = input.startsWith('dvb://') ? parseCard(input) : parseNetworkInput(input);
  return 'fault' in tuned ? tuned : { ...tuned, service };
}

type Tuned = Omit<DvbSource, 'service'>;

function parseCard(input: string): Tuned | DvbFault {
  const [, adapter, frontend = '0', query = ''] = /^dvb:\/\/(\d{1,2})(?:\/(\d{1,2}))?(?:\?(.*))?$/.exec(input) ?? [];
  if (adapter === undefined) {
    return { fault: `it begins with no card's number`, remedy: `write it like ${EXAMPLE}` };
  }
  const { system: systemName = '', ...given } = Object.fromEntries(new URLSearchParams(query));
  const system = Object.hasOwn(SYSTEMS, systemName) ? SYSTEMS[systemName] : undefined;
  if (system === undefined) {
    const fault = systemName === '' ? 'it names no delivery system' : `${systemName} is no delivery system`;
    return { fault, remedy: `write system= and one of ${Object.keys(SYSTEMS).join(', ')}` };
  }
  const known = [...system.required, ...system.optional];
  const stranger = Object.keys(given).find(name => !known.includes(name));
  if (stranger !== undefined) {
    return { fault: `${systemName} has no parameter ${stranger}`, remedy: `write some of ${known.join(', ')}` };
  }
  const tuning = ['--adapter', adapter, '--frontend-number', frontend, '--delsys', system.name];
  for (const name of known) {
    const { option, pattern, hint, value = text => text } = PARAMETERS[name]!;
    const text = given[name];
    if (text === undefined && system.optional.includes(name)) continue;
    if (text === undefined) return { fault: `${systemName} needs ${name}`, remedy: `add ${name}= and ${hint}` };
    if (!pattern.test(text)) return { fault: `${text} is no ${name}`, remedy: `write ${hint}` };
    tuning.push(option, value(text, system.hzPerUnit));
  }
  const polarisation = given.polarisation === undefined ? '' : ` ${given.polarisation}`;
  return {
    card: frontend === '0' ? adapter : `${adapter}/${frontend}`,
    hasSignal: true,
    tuning,
    words: `${systemName} ${given.frequency} MHz${polarisation}`,
  };
}

function parseNetworkInput(input: string): Tuned | DvbFault {
  const [, scheme, address = '', portText, , localAddress] =
    /^dvb:(udp|rtp):\/\/([\d.]+):(\d{1,5})(\?localaddr=([\d.]+))?$/.exec(input) ?? [];
  const port = Number(portText);
  const addresses = [address, ...(localAddress === undefined ? [] : [localAddress])];
  if (scheme === undefined || port < 1 || port > 65_535 || !addresses.every(isIPv4)) {
    return {
      fault: 'it names neither a card nor a place where a multiplex comes in',
      remedy: `write it like ${EXAMPLE}, or dvb:udp://239.10.0.1:5000?localaddr=192.0.2.10#770`,
    };
  }
  const options = [...(scheme === 'udp' ? ['/udp'] : []), ...(localAddress ? [`/ifaddr=${localAddress}`] : [])];
  const place = `${address}:${port}`;
  return {
    card: place,
    hasSignal: false,
    tuning: ['--rtp-input', place + options.join('')],
    words: `${scheme} ${place}`,
  };
}

/** A number is a service id, anything else a name; null for neither. */
function parseService(text: string): number | string | null {
  let name: string;
  try {
    name = decodeURIComponent(text).trim();
  } catch {
    name = text.trim();
  }
  if (!/^\d+$/.test(name)) return name === '' ? null : name;
  const id = Number(name);
  return id >= 1 && id <= 65_535 ? id : null;
}
