import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NativeResponder } from '../src/accept/native-responder.ts';
import { Exchange } from '../src/exchange.ts';
import { Refusal } from '../src/errors.ts';
import { createPipeline, type MadeStages } from '../src/pipeline.ts';
import { PASS, type Verdict } from '../src/verdict.ts';
import { FakeNativeResponse } from './accept/fake-native-response.ts';

const pass = (): typeof PASS => PASS;
const refusing: MadeStages = {
  ...{ admitPrincipal: pass, limitRate: pass, chooseBackend: pass, readBody: pass, forward: pass },
  ...{ joinSseStream: pass, carrySse: pass, limitBackendRate: pass, admitStream: pass },
  admit: () => new Refusal('OVERLOADED'),
};

/** A request that is on its way, and what was answered. */
function start(run: (exchange: Exchange) => void): FakeNativeResponse {
  const native = new FakeNativeResponse();
  const responder = new NativeResponder(
    native,
    () => undefined,
    () => false,
    false,
  );
  const head = {
    ...{ method: 'GET', path: '/', query: null, headers: [], host: 'a.test' },
    ...{ authority: 'a.test', scheme: 'http' as const },
    ...{ remoteAddress: '192.0.2.1', remotePort: null },
  };
  run(new Exchange(head, responder, null, { find: () => null }, null, 1000, 1));
  return native;
}

test('what stages refuse in one turn is answered a few at a time', async () => {
  const run = createPipeline({ ...refusing, onBug: (stage) => assert.fail(stage) });
  const natives = Array.from({ length: 6 }, () => start(run));
  const answered = (): number => natives.filter(({ over }) => over).length;
  assert.equal(answered(), 4);
  await nextTurn();
  assert.equal(answered(), 6);
  assert.equal(natives[5]?.log[0], 'status 503 Service Unavailable');
});

test('what a stage says later counts like what it says at once', async () => {
  const rows: readonly [verdict: Verdict, status: string][] = [
    [new Refusal('OVERLOADED'), 'status 503 Service Unavailable'],
    // The next stage knows no host.
    [PASS, 'status 404 Not Found'],
  ];
  for (const [verdict, status] of rows) {
    const ways: readonly (Verdict | Promise<Verdict>)[] = [verdict, Promise.resolve(verdict)];
    for (const said of ways) {
      const stages: MadeStages = { ...refusing, admit: () => said };
      const native = start(createPipeline({ ...stages, onBug: (stage) => assert.fail(stage) }));
      assert.equal(native.over, !(said instanceof Promise));
      await nextTurn();
      assert.equal(native.log[0], status);
    }
  }
});

test('a stage that fails is a bug, at once and later, and lets nobody pass', async () => {
  const failure = new Error('of the test');
  for (const admit of [
    () => {
      throw failure;
    },
    () => Promise.reject(failure),
  ]) {
    const bugs: unknown[] = [];
    const onBug = (stage: string, error: unknown): void => void bugs.push(stage, error);
    const native = start(createPipeline({ ...refusing, admit, onBug }));
    await nextTurn();
    assert.deepEqual(bugs, ['admit', failure]);
    assert.equal(native.log[0], 'status 500 Internal Server Error');
  }
});
