import type { Request } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import { type Dialog, dialogKey } from './dialog.ts';

/** What a dialog is there for; RFC 5057 calls it a usage. */
export interface DialogUsage {
  readonly dialog: Dialog;
  /** A request in the dialog, other than ACK and CANCEL, whose sequence number is in order. */
  receive(transaction: ServerTransaction): void;
  /** The ACK to a 2xx. */
  acknowledge(request: Request, flow: Flow): void;
  /** The caller no longer wants an answer to this INVITE; the CANCEL itself has one already. */
  cancel(invite: ServerTransaction): void;
  /** The connection of the dialog's flow closed. */
  disconnected(): void;
  /** The endpoint closes: no more waiting for anybody. */
  abandon(reason: string): void;
}

/** The dialogs that there are (RFC 3261 §12). */
export class Dialogs {
  readonly #usages = new Map<string, DialogUsage>();

  get size(): number {
    return this.#usages.size;
  }

  add(usage: DialogUsage): void {
    this.#usages.set(usage.dialog.key, usage);
  }

  remove(usage: DialogUsage): void {
    this.#usages.delete(usage.dialog.key);
  }

  /** Whose dialog a request is in; null for one outside of any, or in one that is over. */
  find(request: Request): DialogUsage | null {
    const localTag = request.toTag;
    if (localTag === null) return null;
    return this.get(request.callId, localTag, request.fromTag);
  }

  get(callId: string, localTag: string, remoteTag: string | null): DialogUsage | null {
    return this.#usages.get(dialogKey(callId, localTag, remoteTag)) ?? null;
  }

  disconnected(flow: Flow): void {
    for (const usage of this.#usages.values()) if (usage.dialog.flow === flow) usage.disconnected();
  }

  abandon(reason: string): void {
    for (const usage of [...this.#usages.values()]) usage.abandon(reason);
  }
}
