import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createReuse } from '../src/reuse.ts';

class Live {
  isClosed = false;
  readonly plan: string;
  constructor(plan: string) {
    this.plan = plan;
  }
  close(): void {
    assert.equal(this.isClosed, false, 'closed twice');
    this.isClosed = true;
  }
}

function start() {
  const made: Live[] = [];
  const turnTo = createReuse<string, Live>((plan) => {
    if (plan === 'bad') throw new Error('can not be made');
    const live = new Live(plan);
    made.push(live);
    return live;
  });
  return {
    made,
    turnTo,
    open: () => made.filter(({ isClosed }) => !isClosed).map(({ plan }) => plan),
  };
}

test('what stays the same is kept, what is new is made, what is gone is closed at the commit', () => {
  const { turnTo, made, open } = start();
  turnTo(['a', 'b']).commit();
  const turn = turnTo(['c', 'b']);
  assert.deepEqual(open(), ['a', 'b', 'c']);
  assert.equal(turn.live[1], made[1]);
  turn.commit();
  assert.deepEqual(open(), ['b', 'c']);
});

test('an abandoned turn closes what was made for it and nothing else', () => {
  const { turnTo, open } = start();
  turnTo(['a', 'b']).commit();
  turnTo(['b', 'c']).abandon();
  assert.deepEqual(open(), ['a', 'b']);
  turnTo(['b', 'c']).commit();
  assert.deepEqual(open(), ['b', 'c']);
});

test('equal plans share one object, and the list keeps its order', () => {
  const { turnTo, made } = start();
  const { live } = turnTo(['a', 'b', 'a']);
  assert.deepEqual(
    live.map(({ plan }) => plan),
    ['a', 'b', 'a'],
  );
  assert.equal(live[0], live[2]);
  assert.equal(made.length, 2);
});

test('where one can not be made, those made before it are closed and the old ones stay', () => {
  const { turnTo, open } = start();
  turnTo(['a']).commit();
  assert.throws(() => turnTo(['a', 'b', 'bad', 'c']), /can not be made/);
  assert.deepEqual(open(), ['a']);
});

test('after any row of turns exactly what the last committed one asked for is open', () => {
  const plans = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'bad'), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(plans, fc.boolean()), { maxLength: 10 }), (turns) => {
      const { turnTo, open } = start();
      let wanted: string[] = [];
      for (const [list, commits] of turns) {
        if (list.includes('bad')) {
          assert.throws(() => turnTo(list));
          continue;
        }
        const turn = turnTo(list);
        assert.deepEqual(
          turn.live.map(({ plan }) => plan),
          list,
        );
        assert.ok(turn.live.every(({ isClosed }) => !isClosed));
        if (commits) {
          turn.commit();
          wanted = list;
        } else {
          turn.abandon();
        }
        assert.deepEqual([...open()].sort(), [...new Set(wanted)].sort());
      }
    }),
    { numRuns: 500 },
  );
});
