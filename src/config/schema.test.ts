import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIG_SCHEMA } from './schema.ts';

interface SchemaNode {
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

function nodes(node: SchemaNode, path = 'the file'): [path: string, node: SchemaNode][] {
  const whole = { ...node, ...node.anyOf?.find(each => each.properties !== undefined) };
  const { properties = {}, items } = whole;
  const inner = [...Object.entries(properties), ...(items ? [['[]', items] as const] : [])];
  return [[path, whole], ...inner.flatMap(([key, each]) => nodes(each, `${path}.${key}`))];
}

describe('the schema of the configuration', () => {
  for (const [path, { properties, additionalProperties, description }] of nodes(CONFIG_SCHEMA as SchemaNode)) {
    if (properties) it(`takes no unknown key in ${path}`, () => assert.equal(additionalProperties, false));
    else it(`says what to write for ${path}`, () => assert.match(description ?? '', /\w/));
  }
});
