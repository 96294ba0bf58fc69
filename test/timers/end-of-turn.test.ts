import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { atEndOfTurn } from '../../src/timers/end-of-turn.ts';

test('what is put off runs once, in order, when the turn is over', async () => {
  const ran: number[] = [];
  for (const number of [1, 2, 3]) atEndOfTurn({ onEndOfTurn: () => ran.push(number) });
  assert.equal(ran.length, 0);
  await nextTurn();
  assert.deepEqual(ran, [1, 2, 3]);
  await nextTurn();
  assert.equal(ran.length, 3);
});

test('what is put off meanwhile runs in the turn after', async () => {
  const ran: string[] = [];
  const second = { onEndOfTurn: () => ran.push('second') };
  atEndOfTurn({
    onEndOfTurn: () => {
      ran.push('first');
      atEndOfTurn(second);
    },
  });
  await nextTurn();
  assert.deepEqual(ran, ['first']);
  await nextTurn();
  assert.deepEqual(ran, ['first', 'second']);
});

test('no more than 1,024 wait', () => {
  let ran = 0;
  const one = { onEndOfTurn: () => (ran += 1) };
  for (let count = 0; count < 1023; count += 1) atEndOfTurn(one);
  assert.equal(ran, 0);
  atEndOfTurn(one);
  assert.equal(ran, 1024);
});
