import type { WatchedCall } from '../types.ts';
import type { EventPackage } from './notifier.ts';
import { element, type Markup, xmlDocument } from './xml.ts';

/** With more, the NOTIFY would not fit a datagram. */
const MOST_OWN = 2;

/**
 * `dialog` (RFC 4235): is it being called. A subscriber sees his own calls with all that another phone of his needs to
 * take one over with Replaces (RFC 3891). Those of others are one entry without names, that says whether there are any:
 * who watches what is nobody's business (§3.6), and Call-ID and tags would let him end the call.
 *
 *     <dialog-info version="3" state="full" entity="sip:news@tv.example">
 *       <dialog id="5f…" call-id="a84b…" local-tag="5f…" remote-tag="19…" direction="recipient">
 *         <state>confirmed</state> <remote> … </remote> <local> … </local>
 *       </dialog>
 *       <dialog id="others"><state>confirmed</state></dialog>
 *     </dialog-info>
 *
 * There is always an entry: a lamp that gets a list without any stays as it was on many a phone.
 */
export const dialogInfo: EventPackage = {
  name: 'dialog',
  type: 'application/dialog-info+xml',
  document({ viewers, calls }, { entity, subscriber, version }) {
    const own = subscriber === null ? [] : calls.filter(call => call.subscriber === subscriber).slice(0, MOST_OWN);
    const entries = own.map(call => ownEntry(call, entity));
    if (viewers > own.length || own.length === 0) {
      entries.push(element('dialog', { id: 'others' }, state(viewers > 0)));
    }
    const attributes = { xmlns: 'urn:ietf:params:xml:ns:dialog-info', version: String(version), state: 'full', entity };
    return xmlDocument(element('dialog-info', attributes, ...entries));
  },
};

function ownEntry({ sipCallId, localTag, remoteTag, from }: WatchedCall, entity: string): Markup {
  const attributes = {
    id: localTag,
    'call-id': sipCallId,
    'local-tag': localTag,
    'remote-tag': remoteTag,
    direction: 'recipient',
  };
  const display = from.displayName === '' ? null : from.displayName;
  const remote = element('remote', {}, element('identity', { display }, from.uri));
  const local = element('local', {}, element('identity', {}, entity));
  return element('dialog', attributes, state(true), local, remote);
}

function state(isConfirmed: boolean): Markup {
  return element('state', {}, isConfirmed ? 'confirmed' : 'terminated');
}
