import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** One fault of a configuration: where, what, and what to write instead. */
export interface Problem {
  /** Keys and list positions from the top. */
  readonly path: readonly (string | number)[];
  readonly fault: string;
  readonly remedy: string;
}

/** A union here is a section or null. */
interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** Every place where the value does not fit the schema, each named once. */
export function schemaProblems(schema: TSchema, value: unknown): Problem[] {
  const problems = new Map<string, Problem>();
  for (const error of Value.Errors(schema, value)) {
    const path = error.instancePath.split('/').slice(1).map(decodePointer);
    for (const problem of explain(schema as SchemaNode, value, error, path)) {
      const key = problem.path.join('/');
      if (!problems.has(key)) problems.set(key, problem);
    }
  }
  // What is wrong inside a value that is not allowed as a whole says nothing more.
  const all = [...problems.values()];
  return all.filter(({ path }) => !all.some(other => isInside(path, other.path)));
}

function isInside(path: Problem['path'], other: Problem['path']): boolean {
  return path.length > other.length && other.every((part, index) => part === path[index]);
}

function explain(
  schema: SchemaNode,
  value: unknown,
  error: { keyword: string; params: unknown },
  path: (string | number)[],
): Problem[] {
  if (error.keyword === 'boolean') return [];
  const node = nodeAt(schema, path);
  if (error.keyword === 'additionalProperties') {
    const known = Object.keys(node?.properties ?? {});
    const { additionalProperties } = error.params as { additionalProperties: string[] };
    return additionalProperties.map(key => ({
      path: [...path, key],
      fault: 'unknown key',
      remedy: suggest(key, known),
    }));
  }
  if (error.keyword === 'required') {
    const { requiredProperties } = error.params as { requiredProperties: string[] };
    return requiredProperties.map(key => ({
      path: [...path, key],
      fault: 'missing',
      remedy: `write ${node?.properties?.[key]?.description ?? 'it'}`,
    }));
  }
  const given = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], value);
  // A section that is there is no fault of its own; that it is not null either says nothing.
  if (typeof given === 'object' && given !== null && !Array.isArray(given) && node?.properties) return [];
  const wanted = node?.description ?? (node?.properties ? 'keys and values' : 'another value');
  return [{ path, fault: `${JSON.stringify(given)} is not allowed`, remedy: `write ${wanted}` }];
}

function nodeAt(schema: SchemaNode, path: readonly (string | number)[]): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>((node, key) => {
    const inner = typeof key === 'number' ? node?.items : node?.properties?.[key];
    const section = inner?.anyOf?.find(({ properties }) => properties !== undefined);
    return section === undefined ? inner : { ...inner, properties: section.properties! };
  }, schema);
}

function decodePointer(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~');
}

function suggest(key: string, known: readonly string[]): string {
  const [nearest] = known
    .map(name => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  if (nearest !== undefined && nearest.distance <= 2) return `did you mean ${nearest.name}?`;
  return `remove it (known here: ${known.join(', ')})`;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
