import type { EventPackage } from './notifier.ts';
import { element, xmlDocument } from './xml.ts';

/**
 * `presence` (RFC 3856): can it be called, and what is on. The document is PIDF (RFC 3863):
 *
 *     <presence entity="sip:news@tv.example">
 *       <tuple id="channel"><status><basic>open</basic></status><note>News</note></tuple>
 *       <note>News</note>
 *     </presence>
 *
 * A note belongs to a tuple or to all of them (§4.1.6, §4.2); phones show the one or the other.
 */
export const presence: EventPackage = {
  name: 'presence',
  type: 'application/pidf+xml',
  document({ isOpen, title }, { entity }) {
    const note = element('note', {}, title);
    const basic = element('basic', {}, isOpen ? 'open' : 'closed');
    const tuple = element('tuple', { id: 'channel' }, element('status', {}, basic), note);
    return xmlDocument(element('presence', { xmlns: 'urn:ietf:params:xml:ns:pidf', entity }, tuple, note));
  },
};
