import { type CSeq, type NameAddr, parseCSeq, parseNameAddr, parseVia, type Via } from './headers.ts';
import { splitUnquoted } from './parameters.ts';

export type Header = readonly [name: string, value: string];

/** Headers in their order and a body; what a header means is looked at only when somebody asks. */
abstract class Message {
  /** Names as `headerName` gives them; values unfolded and trimmed. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
  // Asked for again and again on a message's way; undefined until it is the first time.
  #via: Via | null | undefined;
  #from: NameAddr | null | undefined;
  #to: NameAddr | null | undefined;
  #cseq: CSeq | null | undefined;

  constructor(headers: readonly Header[], body: Buffer) {
    this.headers = headers;
    this.body = body;
  }

  /** The first value, or null. */
  get(name: string): string | null {
    for (const header of this.headers) if (header[0] === name) return header[1];
    return null;
  }

  /** Every value, those that share a line cut apart; for headers whose values are comma-separated. */
  list(name: string): string[] {
    const values: string[] = [];
    for (const header of this.headers) {
      if (header[0] === name) for (const value of splitUnquoted(header[1], ',')) if (value !== '') values.push(value);
    }
    return values;
  }

  get via(): Via | null {
    if (this.#via === undefined) this.#via = optional(this.list('via')[0] ?? null, parseVia);
    return this.#via;
  }

  get from(): NameAddr | null {
    if (this.#from === undefined) this.#from = optional(this.get('from'), parseNameAddr);
    return this.#from;
  }

  get to(): NameAddr | null {
    if (this.#to === undefined) this.#to = optional(this.get('to'), parseNameAddr);
    return this.#to;
  }

  get cseq(): CSeq | null {
    if (this.#cseq === undefined) this.#cseq = optional(this.get('cseq'), parseCSeq);
    return this.#cseq;
  }

  get callId(): string {
    return this.get('call-id') ?? '';
  }

  get fromTag(): string | null {
    return this.from?.parameters.get('tag') ?? null;
  }

  get toTag(): string | null {
    return this.to?.parameters.get('tag') ?? null;
  }
}

export class Request extends Message {
  readonly method: string;
  readonly uri: string;

  constructor(method: string, uri: string, headers: readonly Header[], body: Buffer = NO_BODY) {
    super(headers, body);
    this.method = method;
    this.uri = uri;
  }
}

export class Response extends Message {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, headers: readonly Header[], body: Buffer = NO_BODY) {
    super(headers, body);
    this.status = status;
    this.reason = reason;
  }
}

export const NO_BODY = Buffer.alloc(0);

function optional<T>(text: string | null, parse: (text: string) => T | null): T | null {
  return text === null ? null : parse(text);
}
