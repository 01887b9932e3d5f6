import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header } from '../message/index.ts';
import { SessionBench } from './testing.ts';

describe('INFO (RFC 6086)', () => {
  test('without a package is taken: keys that were pressed, a wish for a whole picture', () => {
    const bench = new SessionBench().running();
    const headers: Header[] = [['content-type', 'application/dtmf-relay']];
    bench.receive('INFO', 2, { headers, body: 'Signal=1' });
    assert.deepEqual([bench.flow.takeResponse().status, bench.events], [200, []]);
  });

  test('with a package is answered that there is none that we know', () => {
    const bench = new SessionBench().running();
    bench.receive('INFO', 2, { headers: [['info-package', 'foo']] });
    const response = bench.flow.takeResponse();
    assert.deepEqual([response.status, response.reason, response.get('recv-info')], [469, 'Bad Info Package', '']);
  });
});
