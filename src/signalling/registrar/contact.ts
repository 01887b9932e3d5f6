import { parseNameAddr, splitUnquoted } from '../message/index.ts';

/** One Contact of a REGISTER (RFC 3261 §20.10), with what a registrar reads in it. */
export interface Contact {
  readonly uri: string;
  /** As they were written, `;q=0.5;+sip.ice`, without those that the registrar alone has a say in. */
  readonly parameters: string;
  /** Null when it does not say. */
  readonly expiresSeconds: number | null;
  /** How much it is preferred, from 0 to 1. */
  readonly q: number;
  /** RFC 5626 §4.1: which device this is, a URN; null when it does not say. */
  readonly instance: string | null;
  /** RFC 5626 §4.2: which of the device's flows; null when it does not say, or not which device. */
  readonly regId: number | null;
}

/** RFC 3261 §25.1, generic-param; its value is taken as it comes as long as it ends where it seems to. */
const PARAMETER = /^([A-Za-z0-9.!%*_+`'~-]+)(?:\s*=\s*(?:[^\s",;<>]+|"(?:[^"\\]|\\.)*"))?$/s;
const MOST_PARAMETERS = 64;
/** What the answer says of a binding (RFC 3261 §10.3, RFC 5627 §5.2), so nobody else does. */
const OURS: ReadonlySet<string> = new Set(['expires', 'pub-gruu', 'temp-gruu']);

/** Null when the text is no address. */
export function parseContact(text: string): Contact | null {
  const address = parseNameAddr(text);
  if (address === null) return null;
  const { uri, parameters } = address;
  const kept = splitUnquoted(text, ';', MOST_PARAMETERS)
    .slice(1)
    .filter(piece => {
      const name = PARAMETER.exec(piece)?.[1];
      return name !== undefined && !OURS.has(name.toLowerCase());
    });
  const instance = readInstance(parameters.get('+sip.instance') ?? '');
  // RFC 5626 §6: a flow of an unknown device is none.
  const regId = instance !== null && /^[1-9]\d{0,9}$/.test(parameters.get('reg-id') ?? '');
  return {
    uri,
    parameters: kept.map(piece => `;${piece}`).join(''),
    expiresSeconds: readSeconds(parameters.get('expires')),
    q: readQ(parameters.get('q')),
    instance,
    regId: regId ? Number(parameters.get('reg-id')) : null,
  };
}

/** RFC 3261 §20.19: delta-seconds. */
export function readSeconds(text: string | null | undefined): number | null {
  return text !== null && text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/** The digits of a UUID have no case (RFC 4122 §3); what other URNs mean is their own affair. */
export function normaliseInstance(urn: string): string {
  return /^urn:uuid:/i.test(urn) ? urn.toLowerCase() : urn;
}

function readInstance(text: string): string | null {
  const urn = /^<([^\s<>"\\]+)>$/.exec(text)?.[1];
  return urn === undefined ? null : normaliseInstance(urn);
}

/** RFC 3261 §25.1, qvalue. Who says nothing, or nonsense, wants to be called. */
function readQ(text: string | null | undefined): number {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text ?? '') ? Number(text) : 1;
}
