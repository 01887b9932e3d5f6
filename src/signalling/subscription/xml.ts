/** A piece of XML. Text is a string, so that none gets in without being escaped. */
export interface Markup {
  readonly markup: string;
}

/** Null attributes are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | null>>,
  ...content: readonly (string | Markup)[]
): Markup {
  const given = Object.entries(attributes).filter(([, value]) => value !== null);
  const opening = [name, ...given.map(([key, value]) => `${key}="${escaped(value!)}"`)].join(' ');
  if (content.length === 0) return { markup: `<${opening}/>` };
  const inner = content.map(each => (typeof each === 'string' ? escaped(each) : each.markup)).join('');
  return { markup: `<${opening}>${inner}</${name}>` };
}

export function xmlDocument(root: Markup): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${root.markup}\n`);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // A reader makes plain spaces of these in an attribute, if they stand there as they are (XML 1.0 §3.3.3).
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** What is no character of XML 1.0 (§2.2), and may not stand there in any form. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function escaped(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"'\t\n\r]/g, character => ENTITIES[character]!);
}
