import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createEndpointHealth } from '../../src/forward/endpoint-health.ts';

const limits = { failures: 3, firstMs: 1000, longestMs: 5000 };

function eject(health: ReturnType<typeof createEndpointHealth>, index: number, nowMs: number) {
  let count = 0;
  while (!health.failed(index, nowMs)) assert.ok((count += 1) < 10);
}

describe('several endpoints', () => {
  test('are asked in turn, from a random one on', () => {
    const health = createEndpointHealth(3, limits, 0.5);
    const order = [0, 1, 2, 3].map(() => health.pick([], 0));
    assert.deepEqual(order, [1, 2, 0, 1]);
  });

  test('get the next request where the fewest are in flight', () => {
    const health = createEndpointHealth(3, limits, 0);
    health.began(0);
    health.began(1);
    assert.deepEqual([health.pick([], 0), health.pick([], 0)], [2, 2]);
    health.began(2);
    health.ended(0);
    assert.equal(health.pick([], 0), 0);
  });

  test('are each tried once at most for a request', () => {
    const health = createEndpointHealth(2, limits, 0);
    assert.equal(health.pick([0], 0), 1);
    assert.equal(health.pick([0, 1], 0), null);
  });
});

describe('an endpoint', () => {
  test('is ejected at the limit of failures in a row, and not before', () => {
    const health = createEndpointHealth(2, limits, 0);
    assert.deepEqual([health.failed(0, 0), health.failed(0, 0)], [false, false]);
    health.succeeded(0, 0);
    assert.deepEqual([health.failed(0, 0), health.failed(0, 0)], [false, false]);
    assert.equal(health.failed(0, 0), true);
    assert.equal(health.healthyCount(0), 1);
    assert.deepEqual([health.pick([], 0), health.pick([], 999)], [1, 1]);
  });

  test('is on trial when its time is over: one request at a time, and one failure is enough', () => {
    const health = createEndpointHealth(2, limits, 0);
    eject(health, 0, 0);
    health.began(1);
    assert.equal(health.pick([], 1000), 0);
    health.began(0);
    health.began(1);
    assert.equal(health.pick([], 1000), 1);
    health.ended(0);
    assert.equal(health.failed(0, 1000), true);
    assert.equal(health.pick([], 2999), 1);
  });

  test('is ejected for twice as long each time, up to the bound, until it answers well', () => {
    const health = createEndpointHealth(2, limits, 0);
    let nowMs = 0;
    eject(health, 0, nowMs);
    for (const spanMs of [1000, 2000, 4000, 5000, 5000]) {
      assert.equal(health.healthyCount(nowMs + spanMs - 1), 1);
      nowMs += spanMs;
      assert.equal(health.healthyCount(nowMs), 2);
      assert.equal(health.failed(0, nowMs), true);
    }
    nowMs += 5000;
    health.succeeded(0, nowMs);
    eject(health, 0, nowMs);
    assert.equal(health.healthyCount(nowMs + 1000), 2);
  });

  test('that is ejected is neither helped nor harmed by what becomes of older requests', () => {
    const health = createEndpointHealth(2, limits, 0);
    eject(health, 0, 0);
    health.succeeded(0, 500);
    assert.equal(health.failed(0, 500), false);
    assert.equal(health.healthyCount(999), 1);
    assert.equal(health.healthyCount(1000), 2);
  });

  test('is asked nevertheless where all are ejected', () => {
    const health = createEndpointHealth(2, limits, 0);
    eject(health, 0, 0);
    eject(health, 1, 0);
    assert.equal(health.healthyCount(0), 0);
    assert.deepEqual([health.pick([], 0), health.pick([], 0)], [0, 1]);
  });

  test('is never ejected with a limit of 0', () => {
    const health = createEndpointHealth(2, { ...limits, failures: 0 }, 0);
    for (let count = 0; count < 100; count += 1) assert.equal(health.failed(0, 0), false);
  });
});

test('whatever happens, an endpoint that was not tried is found, and a well one before an ejected one', () => {
  const step = fc.record({
    what: fc.constantFrom('failed', 'succeeded', 'began'),
    index: fc.nat(3),
    afterMs: fc.nat(3000),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.double({ min: 0, max: 0.999 }),
      (steps, random) => {
        const health = createEndpointHealth(4, limits, Number.isNaN(random) ? 0 : random);
        let nowMs = 0;
        for (const { what, index, afterMs } of steps) {
          nowMs += afterMs;
          health[what as 'failed'](index, nowMs);
          const tried: number[] = [];
          for (let round = 0; round < 4; round += 1) {
            const picked = health.pick(tried, nowMs);
            assert.ok(picked !== null && !tried.includes(picked));
            tried.push(picked);
          }
          assert.equal(health.pick(tried, nowMs), null);
          assert.ok(health.healthyCount(nowMs) >= 0);
        }
      },
    ),
    { numRuns: 200 },
  );
});
