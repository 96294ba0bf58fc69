import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { isMessageOf, type ToPrimary } from '../../src/workers/messages.ts';

const rows: readonly [message: unknown, ours: boolean][] = [
  [{ type: 'started' }, true],
  [{ type: 'applied', generation: 1 }, true],
  [{ type: 'status' }, false],
  [{ type: 'prom-client:getMetricsReq' }, false],
  [{ cmd: 'NODE_CLUSTER' }, false],
  [null, false],
  [undefined, false],
  ['started', false],
  [[], false],
  [Object.create({ type: 'x' }), false],
];
for (const [message, ours] of rows) {
  test(`${inspect(message)} is ${ours ? '' : 'not '}one of the wanted`, () =>
    assert.equal(isMessageOf<ToPrimary>(['started', 'applied'], message), ours));
}
