import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBackendChooser, type ChosenBackend } from '../../src/forward/backend-chooser.ts';
import { compileFilters } from '../../src/route/filters.ts';

const backend = (name: string): ChosenBackend => ({
  type: 'MCP',
  mcp: null,
  rateLimits: null,
  filters: compileFilters([]),
  upstream: {
    backendName: name,
    targetName: name,
    path: null,
    authority: name,
    request: () => assert.fail(),
    close: () => undefined,
  },
});

test('a rule without backends, or with weight 0 alone, has none to give', () => {
  for (const random of [0, 0.5, 1 - Number.EPSILON / 2]) {
    assert.equal(createBackendChooser([]).choose(random), null);
    assert.equal(createBackendChooser([{ weight: 0, backend: backend('a') }]).choose(random), null);
  }
});

test('a reference that leads nowhere keeps its share', () => {
  const a = backend('a');
  const chooser = createBackendChooser([
    { weight: 1, backend: null },
    { weight: 3, backend: a },
  ]);
  assert.equal(chooser.choose(0), null);
  assert.equal(chooser.choose(0.249), null);
  assert.equal(chooser.choose(0.25), a);
  assert.equal(chooser.choose(0.999), a);
});

test('shares follow the weights, exactly, and weight 0 gets nothing', () => {
  const weights = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(weights, (list) => {
      const total = list.reduce((sum, weight) => sum + weight, 0);
      const entries = list.map((weight, index) => ({ weight, backend: backend(String(index)) }));
      const chooser = createBackendChooser(entries);
      const counts = list.map(() => 0);
      for (let step = 0; step < total; step += 1) {
        const chosen = chooser.choose((step + 0.5) / total);
        const index = Number(chosen?.upstream.backendName);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      assert.deepEqual(counts, list);
    }),
    { numRuns: 200 },
  );
});

test('no random number and no weights, up to the largest of Gateway API, miss every backend', () => {
  const random = fc.oneof(
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.constantFrom(0, 1 - Number.EPSILON / 2, Number.MIN_VALUE),
  );
  const weights = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(weights, random, (list, number) => {
      const chooser = createBackendChooser(
        list.map((weight, index) => ({ weight, backend: backend(String(index)) })),
      );
      const chosen = chooser.choose(number);
      if (list.every((weight) => weight === 0)) assert.equal(chosen, null);
      else assert.ok((list[Number(chosen?.upstream.backendName)] ?? 0) > 0);
    }),
    { numRuns: 2000 },
  );
});
