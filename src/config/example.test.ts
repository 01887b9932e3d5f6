import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { SOURCE_KINDS } from '../transcoder/index.ts';
import { defaultConfig, loadConfig } from './index.ts';
import { CONFIG_SCHEMA } from './schema.ts';

const ROOT = new URL('../../', import.meta.url);
const EXAMPLE = fileURLToPath(new URL('dialcast.example.yaml', ROOT));
const OPTIONS = { interfaces: {}, sourceKinds: SOURCE_KINDS };

/** The parts of a schema that name keys. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  /** A section or null. */
  readonly anyOf?: readonly SchemaNode[];
}

const SCHEMA = CONFIG_SCHEMA as SchemaNode;

/** Every key of the schema as `parent.key`; the keys of a list's items stand under the list. */
function schemaKeys(node: SchemaNode, parent = ''): string[] {
  const { properties = {}, items } = node.anyOf?.find(each => each.properties !== undefined) ?? node;
  const own = Object.entries(properties).flatMap(([key, node]) => [
    parent + key,
    ...schemaKeys(node, `${parent + key}.`),
  ]);
  return items === undefined ? own : [...own, ...schemaKeys(items, parent)];
}

/** The same of a value. */
function valueKeys(value: unknown, parent = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap(item => valueKeys(item, parent)))];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [parent + key, ...valueKeys(inner, `${parent + key}.`)]);
}

describe('dialcast.example.yaml', () => {
  it('shows every key of the schema, and no other', () => {
    // A section that is off by default stands in a comment above its `null`, a list above its `[]`, and what has no
    // default in a comment.
    const text = readFileSync(EXAMPLE, 'utf8');
    const whole = text
      .replace(/^ *\w+: (?:null|\[\])\n/gm, '')
      .replace(/^( *)# (\w+:[\n ]| {2,}(?:- #.*\n|\w+: ))/gm, '$1$2');
    const shown = valueKeys(parse(whole));
    assert.deepEqual(shown.sort(), schemaKeys(SCHEMA).sort());
  });

  it('shows the defaults of all but the channels', () => {
    const { channels: _, ...example } = loadConfig(EXAMPLE, OPTIONS);
    const { channels, ...defaults } = defaultConfig(OPTIONS);
    assert.deepEqual(example, defaults);
    assert.deepEqual(channels, []);
  });

  it('has channels that load, their files beside it', () => {
    const film = fileURLToPath(new URL('media/film.mp4', ROOT));
    assert.deepEqual(loadConfig(EXAMPLE, OPTIONS).channels, [
      {
        ...{ number: 101, name: 'clock', title: 'Clock', source: 'testcard:', loop: false },
        ...{ alwaysOn: false, film: false, passThrough: 'auto', ladder: [] },
      },
      { number: 102, name: 'film', title: 'film', source: `file:${film}`, loop: true },
    ]);
  });
});

describe('docs/configuration.md', () => {
  const text = readFileSync(new URL('docs/configuration.md', ROOT), 'utf8');

  it('has a row for every key that holds a value, and for no other', () => {
    const rows = [...text.matchAll(/^\| `([A-Za-z.]+)` \|/gm)].map(([, key]) => key);
    const sections = [
      'http',
      'http.tls',
      'sip',
      'sip.tls',
      'media',
      'limits',
      'transcoders',
      'sources',
      'trace',
      'trace.hep',
      'guide',
      'guide.playlists',
      'cache',
      'channels',
      'channels.ladder',
      'platforms',
    ];
    assert.deepEqual(
      rows.sort(),
      schemaKeys(SCHEMA)
        .filter(key => !sections.includes(key))
        .sort(),
    );
  });
});

describe('docs/sources.md', () => {
  it('tells of every source kind, and of no other', () => {
    const text = readFileSync(new URL('docs/sources.md', ROOT), 'utf8');
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);
    const kinds = headings.flatMap(heading => [...heading.matchAll(/`([a-z]+):/g)].map(([, kind]) => kind));
    assert.deepEqual(kinds.sort(), [...SOURCE_KINDS].sort());
  });
});
