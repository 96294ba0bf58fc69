import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fewEachTurn, waitForTurn } from '../../src/timers/few-each-turn.ts';

/** Until nothing waits, and a turn more. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 300; turn += 1) await nextTurn();
}

/** Asks for a turn for each of these numbers; they are found in the list in the order of their turns. */
function ask(numbers: readonly number[], ran: number[]): void {
  for (const number of numbers) fewEachTurn({ onTurn: () => ran.push(number) });
}

test('four run at once, the others in later turns, four in each and in their order', async () => {
  await settle();
  const ran: number[] = [];
  ask([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ran);
  assert.deepEqual(ran, [1, 2, 3, 4]);
  await nextTurn();
  assert.deepEqual(ran, [1, 2, 3, 4, 5, 6, 7, 8]);
  // Nobody overtakes those who wait.
  ask([11], ran);
  assert.equal(ran.length, 8);
  await nextTurn();
  assert.deepEqual(ran, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('what runs after those who waited shares their turn, and a new turn has room again', async () => {
  await settle();
  const ran: number[] = [];
  ask([1, 2, 3, 4, 5], ran);
  await nextTurn();
  ask([6, 7, 8, 9], ran);
  assert.deepEqual(ran, [1, 2, 3, 4, 5, 6, 7, 8]);
  await settle();
  assert.equal(ran.length, 9);
  ask([10, 11, 12, 13], ran);
  assert.equal(ran.length, 13);
});

test('what is asked for in the midst of a turn comes behind those who wait', async () => {
  await settle();
  const ran: number[] = [];
  ask([1, 2, 3, 4], ran);
  fewEachTurn({ onTurn: () => ask([7], ran) });
  ask([5, 6], ran);
  await settle();
  assert.deepEqual(ran, [1, 2, 3, 4, 5, 6, 7]);
});

test('what asks again in its turn has another one', async () => {
  await settle();
  let turns = 0;
  const again = {
    onTurn() {
      turns += 1;
      if (turns < 10) fewEachTurn(this);
    },
  };
  fewEachTurn(again);
  assert.equal(turns, 4);
  await settle();
  assert.equal(turns, 10);
});

test('who waits for a turn stands in the same line', async () => {
  await settle();
  const ran: number[] = [];
  ask([1, 2, 3], ran);
  assert.equal(waitForTurn(), null);
  const wait = waitForTurn();
  assert.ok(wait !== null);
  void wait.then(() => ran.push(4));
  ask([5], ran);
  assert.deepEqual(ran, [1, 2, 3]);
  await nextTurn();
  assert.deepEqual(ran.sort(), [1, 2, 3, 4, 5]);
});

test('no more than 1,024 wait', async () => {
  await settle();
  let ran = 0;
  const one = { onTurn: () => (ran += 1) };
  for (let count = 0; count < 4 + 1024; count += 1) fewEachTurn(one);
  assert.equal(ran, 4);
  fewEachTurn(one);
  assert.equal(ran, 5);
  assert.equal(waitForTurn(), null);
  await settle();
  assert.equal(ran, 4 + 1024 + 1);
});

test('what had its turn is let go, also while others wait all the time', async () => {
  await settle();
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  let isOver = false;
  // There are always some that wait, as in a flood.
  const flood = {
    onTurn() {
      if (!isOver) fewEachTurn(this);
    },
  };
  for (let count = 0; count < 64; count += 1) fewEachTurn({ onTurn: () => fewEachTurn(flood) });
  let kept: { onTurn: () => void } | null = { onTurn: () => undefined };
  const weak = new WeakRef(kept);
  fewEachTurn(kept);
  kept = null;
  for (let turn = 0; turn < 100; turn += 1) await nextTurn();
  gc();
  assert.equal(weak.deref(), undefined);
  isOver = true;
  await settle();
});
