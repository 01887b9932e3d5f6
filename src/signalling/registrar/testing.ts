import type { Subscriber } from '../admission/index.ts';
import { type Header, type NameAddr, parseNameAddr, type Response } from '../message/index.ts';
import { FakeClock, FakeFlow, makeRequest, type RequestParts } from '../testing.ts';
import type { Flow } from '../transport/index.ts';
import { Registrar } from './index.ts';

/** Tools of this folder's tests. */

export interface Registration extends Pick<RequestParts, 'to' | 'callId' | 'sequence' | 'via'> {
  readonly contacts?: readonly string[];
  readonly expires?: string;
  readonly supported?: string;
  readonly require?: string;
  readonly path?: readonly string[];
  readonly flow?: Flow;
  readonly subscriber?: Subscriber;
}

/** A registrar in virtual time, whose clients are at 192.0.2.7:5062 and speak TCP unless they say otherwise. */
export class TestRegistrar {
  readonly clock = new FakeClock();
  readonly flow = new FakeFlow(this.clock, 'tcp');
  readonly registrar = new Registrar({ clock: this.clock, key: Buffer.alloc(32, 7) });

  register(registration: Registration): Response {
    const { contacts = [], expires, supported, require, path = [], flow = this.flow, subscriber } = registration;
    const headers: Header[] = [
      ...contacts.map((contact): Header => ['contact', contact]),
      ...path.map((value): Header => ['path', value]),
    ];
    if (expires !== undefined) headers.push(['expires', expires]);
    if (supported !== undefined) headers.push(['supported', supported]);
    if (require !== undefined) headers.push(['require', require]);
    const { to = '<sip:ann@example.org>', via, callId, sequence } = registration;
    const parts = { to, uri: 'sip:example.org', headers, callId, sequence, ...(via === undefined ? {} : { via }) };
    return this.registrar.register(makeRequest('REGISTER', parts as RequestParts), flow, 'ours', subscriber ?? null);
  }

  /** What a REGISTER that changes nothing is told. */
  bindings(to = '<sip:ann@example.org>'): string[] {
    return this.register({ to }).list('contact');
  }
}

/** The Contacts of a 200, read. */
export function contactsOf(response: Response): NameAddr[] {
  return response.list('contact').map(contact => parseNameAddr(contact)!);
}
