import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const LIMIT_OCTETS = 250_000;

test(`the whole page is under ${LIMIT_OCTETS} octets when gzipped`, async () => {
  const configFile = `${import.meta.dirname}/../../vite.config.ts`;
  const result = await build({ configFile, logLevel: 'silent', build: { write: false } });
  assert.ok(!Array.isArray(result) && 'output' in result);
  const sizes = result.output.map(file => {
    const content = file.type === 'chunk' ? file.code : file.source;
    return { name: file.fileName, octets: gzipSync(content).length };
  });
  for (const kind of ['.html', '.js', '.css'])
    assert.ok(
      sizes.some(({ name }) => name.endsWith(kind)),
      kind,
    );
  const total = sizes.reduce((sum, { octets }) => sum + octets, 0);
  assert.ok(total < LIMIT_OCTETS, JSON.stringify(sizes));
});
