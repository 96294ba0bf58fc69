import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Settled } from '../../src/authorize/combine.ts';
import { createDecisionMemo } from '../../src/authorize/decision-memo.ts';
import { Decisions, newGroup } from '../../src/authorize/decisions.ts';

const settledAs = (failure: string): Settled => ({ denial: null, allowed: false, failure });

describe('decisions that are remembered', () => {
  test('no two groups of rules have one number', () => {
    assert.notEqual(newGroup(), newGroup());
  });

  test('are found by group and name alone, few and many of them', () => {
    const memo = createDecisionMemo(1000);
    const decisions = new Decisions();
    for (let count = 0; count < 40; count += 1) {
      const [group, name] = [count % 3, `tool-${Math.floor(count / 3)}`];
      assert.equal(decisions.find(group, name), undefined);
      memo.remember(decisions, group, name, settledAs(`${group} ${name}`));
      for (let seen = 0; seen <= count; seen += 1) {
        const [at, of] = [seen % 3, `tool-${Math.floor(seen / 3)}`];
        assert.equal(decisions.find(at, of)?.failure, `${at} ${of}`);
      }
      assert.equal(decisions.find(7, name), undefined);
    }
  });

  test('a name that is longer than any tool has is not remembered', () => {
    const decisions = new Decisions();
    createDecisionMemo(10).remember(decisions, 1, 'x'.repeat(257), settledAs(''));
    assert.ok(decisions.isEmpty);
  });

  test('those of principals who came lately outlast the others', () => {
    const memo = createDecisionMemo(2);
    const principals = Array.from({ length: 5 }, () => new Decisions());
    for (const one of principals) memo.remember(one, 1, 'echo', settledAs(''));
    assert.deepEqual(
      principals.map(({ isEmpty }) => isEmpty),
      [true, true, false, false, false],
    );
  });

  test('whatever comes, none is of another question, and no more than twice the bound are held', () => {
    const question = fc.record({ who: fc.nat(20), group: fc.nat(2), name: fc.nat(12) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(question), (bound, questions) => {
        const memo = createDecisionMemo(bound);
        const principals = Array.from({ length: 21 }, () => new Decisions());
        for (const { who, group, name } of questions) {
          const decisions = principals[who] ?? assert.fail();
          const answer = `${who} ${group} ${name}`;
          const known = decisions.find(group, String(name));
          if (known === undefined) memo.remember(decisions, group, String(name), settledAs(answer));
          else assert.equal(known.failure, answer);
          assert.ok(heldBy(principals) <= 2 * bound);
        }
      }),
    );
  });
});

function heldBy(principals: readonly Decisions[]): number {
  let held = 0;
  for (const decisions of principals) {
    for (let group = 0; group <= 2; group += 1) {
      for (let name = 0; name <= 12; name += 1) {
        if (decisions.find(group, String(name)) !== undefined) held += 1;
      }
    }
  }
  return held;
}
