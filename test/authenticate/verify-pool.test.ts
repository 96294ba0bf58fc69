import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { createVerifyPool } from '../../src/authenticate/verify-pool.ts';
import type { VerifyPool, VerifyPoolOptions } from '../../src/authenticate/verify-pool.ts';
import { readVerificationKey } from '../../src/authenticate/verification-key.ts';
import { verifySignature } from '../../src/authenticate/verify-signature.ts';
import type { SignatureCheck } from '../../src/authenticate/verify-signature.ts';
import type { Algorithm } from '../../src/authenticate/algorithms.ts';
import { forge, makeKey, sign } from './token-issuer.ts';
import type { TestKey } from './token-issuer.ts';

const key = await makeKey('RS256', 'k');
const good = await sign(key);

function check(token: string, of: TestKey = key, algorithm = 'RS256' as Algorithm): SignatureCheck {
  const read = readVerificationKey(of.jwk);
  assert.ok(typeof read !== 'string');
  return { token, algorithm, jwk: read.jwk, thumbprint: read.thumbprint };
}

/** By thread id; proc_pid_stat(5). */
function nicenessOfThreads(): ReadonlyMap<number, number> {
  return new Map(
    readdirSync('/proc/self/task').map((id) => {
      const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
      // The name, in parentheses, may hold spaces.
      return [Number(id), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])];
    }),
  );
}

async function withPool(
  options: VerifyPoolOptions,
  run: (pool: VerifyPool) => Promise<void>,
): Promise<void> {
  const pool = createVerifyPool(options);
  try {
    await run(pool);
  } finally {
    await pool.close();
  }
}

describe('a signature check', () => {
  test('accepts what the key signed and nothing else', async () => {
    assert.equal(await verifySignature(check(good)), 'valid');
    assert.equal(await verifySignature(check(await sign(await makeKey('RS256', 'k')))), 'invalid');
    assert.equal(await verifySignature(check('garbage')), 'invalid');
  });
  test('holds the token to the chosen algorithm', async () => {
    assert.equal(await verifySignature(check(good, key, 'RS512')), 'invalid');
    assert.equal(await verifySignature(check(forge({ alg: 'none' }))), 'invalid');
  });
  test('says so when the key can not be used', async () => {
    assert.equal(
      await verifySignature({
        ...check(good),
        jwk: { kty: 'OKP', crv: 'X', x: 'AA' },
        thumbprint: 'x',
      }),
      'failed',
    );
  });
});

describe('a pool of threads', () => {
  test('gives each check its own outcome', async () => {
    await withPool({ threads: 2, maxBatch: 4 }, async (pool) => {
      const bad = `${good.slice(0, -8)}AAAAAAAA`;
      const checks = Array.from({ length: 40 }, (_, index) => check(index % 3 === 0 ? bad : good));
      const outcomes = await Promise.all(checks.map(pool.verify));
      assert.deepEqual(
        outcomes,
        checks.map(({ token }) => (token === bad ? 'invalid' : 'valid')),
      );
      const { threads, queued, running, busyMs } = pool.state();
      assert.deepEqual({ threads, queued, running }, { threads: 2, queued: 0, running: 0 });
      assert.ok(busyMs > 0);
    });
  });

  test('tells a few outcomes of a batch in a turn of the event loop, and the others later', async () => {
    await withPool({ threads: 1, maxBatch: 32 }, async (pool) => {
      let turn = 0;
      let immediate = setImmediate(function next() {
        turn += 1;
        immediate = setImmediate(next);
      });
      const toldIn = new Map<number, number>();
      // The first has the thread for itself; the others are one batch.
      await Promise.all(
        Array.from({ length: 30 }, async () => {
          await pool.verify(check(good));
          toldIn.set(turn, (toldIn.get(turn) ?? 0) + 1);
        }),
      );
      clearImmediate(immediate);
      // Those that had room when the batch came, and those of the turn that began then.
      assert.ok(Math.max(...toldIn.values()) <= 8, [...toldIn.values()].join(' '));
    });
  });

  test('refuses more than its queue holds', async () => {
    await withPool({ threads: 1, maxQueued: 5, maxBatch: 1 }, async (pool) => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          // One that a thread has taken, and five that wait.
          assert.equal(pool.isFull(), index >= 6);
          return pool.verify(check(good));
        }),
      );
      assert.equal(pool.isFull(), false);
      assert.equal(outcomes.filter((outcome) => outcome === 'valid').length, 6);
      assert.equal(outcomes.filter((outcome) => outcome === 'overloaded').length, 14);
      assert.equal(await pool.verify(check(good)), 'valid');
    });
  });

  test('replaces a thread that hangs; its checks fail and the rest goes on', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: string): void => void warnings.push(warning);
    // A millisecond is not enough for a thread even to start.
    await withPool({ threads: 1, maxBatch: 1, batchTimeoutMs: 1, onWarning }, async (pool) => {
      assert.equal(await pool.verify(check(good)), 'failed');
      assert.equal(warnings.length, 1);
      assert.equal(pool.state().running, 0);
    });
  });

  test('replaces a thread that dies; its checks are made once more', async () => {
    const workers: Worker[] = [];
    const onWorker = (worker: Worker): void => void workers.push(worker);
    process.on('worker', onWorker);
    const warnings: string[] = [];
    const onWarning = (warning: string): void => void warnings.push(warning);
    await withPool({ threads: 1, maxBatch: 4, onWarning }, async (pool) => {
      assert.equal(await pool.verify(check(good)), 'valid');
      // So many that the end of the thread comes in the middle of them.
      const outcomes = Promise.all(Array.from({ length: 1000 }, () => pool.verify(check(good))));
      void workers[0]?.terminate();
      assert.deepEqual(new Set(await outcomes), new Set(['valid']));
      assert.ok(workers.length >= 2, 'nobody took its place');
      assert.match(warnings[0] ?? '', /^a verification thread failed: /);
      const { queued, running } = pool.state();
      assert.deepEqual({ queued, running }, { queued: 0, running: 0 });
    });
    process.off('worker', onWorker);
  });

  test(
    'steps back for the event loop, and nobody else does',
    { skip: process.platform !== 'linux' && 'elsewhere a priority belongs to the whole process' },
    async () => {
      // The process's own pool is there before, whoever uses it first.
      await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/self/stat')));
      const before = nicenessOfThreads();
      const usual = before.get(process.pid) ?? 0;
      await withPool({ threads: 2, maxBatch: 1 }, async (pool) => {
        await Promise.all(Array.from({ length: 200 }, () => pool.verify(check(good))));
        const after = nicenessOfThreads();
        // Threads that the loader of TypeScript starts for a thread are as nice as it is, and may be more.
        assert.ok([...after.values()].filter((niceness) => niceness > usual).length >= 2);
        for (const [thread, niceness] of before) {
          assert.ok([niceness, undefined].includes(after.get(thread)), `thread ${thread}`);
        }
      });
    },
  );

  test('closes while checks wait and run', async () => {
    const pool = createVerifyPool({ threads: 1, maxBatch: 1 });
    const outcomes = Promise.all(Array.from({ length: 5 }, () => pool.verify(check(good))));
    await pool.close();
    assert.deepEqual(new Set(await outcomes), new Set(['failed']));
    assert.equal(await pool.verify(check(good)), 'failed');
  });
});
