import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header } from '../message/index.ts';
import { SessionBench } from './testing.ts';

describe('INFO (RFC 6086)', () => {
  test('without a package is taken: keys that were pressed, a wish for a whole picture', () => {
    const bench = new SessionBench().running();
    const headers: Header[] = [['content-type', 'application/dtmf-relay']];
    bench.receive('INFO', 2, { headers, body: 'Signal=1' });
    assert.deepEqual([bench.flow.takeResponse().status, bench.events], [200, ['pressed 1']]);
  });

  for (const [type, body, key] of [
    ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n', '5'],
    ['Application/DTMF-Relay; charset=utf-8', ' signal = # \nDuration=90', '#'],
    ['application/dtmf', 'd', 'D'],
    ['application/dtmf-relay', 'Signal=55', null],
    ['application/dtmf-relay', 'Duration=160\r\nSignal=5', null],
    ['application/dtmf', 'hello', null],
    ['application/dtmf', '', null],
    ['application/dtmf', ` ${' '.repeat(500)}5`, null],
    ['application/media_control+xml', '5', null],
    ['constructor', '5', null],
  ] as const) {
    test(`with ${JSON.stringify(body.slice(0, 30))} in ${type} says ${key ?? 'nothing'}`, () => {
      const bench = new SessionBench().running();
      bench.receive('INFO', 2, { headers: [['content-type', type]], body });
      assert.deepEqual([bench.flow.takeResponse().status, bench.events], [200, key === null ? [] : [`pressed ${key}`]]);
    });
  }

  test('with a package is answered that there is none that we know', () => {
    const bench = new SessionBench().running();
    bench.receive('INFO', 2, { headers: [['info-package', 'foo']] });
    const response = bench.flow.takeResponse();
    assert.deepEqual([response.status, response.reason, response.get('recv-info')], [469, 'Bad Info Package', '']);
  });
});
