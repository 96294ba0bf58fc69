import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NativeResponder } from '../src/accept/native-responder.ts';
import { Exchange } from '../src/exchange.ts';
import { Refusal } from '../src/errors.ts';
import { createPipeline, type MadeStages } from '../src/pipeline.ts';
import { PASS } from '../src/verdict.ts';
import { FakeNativeResponse } from './accept/fake-native-response.ts';

const pass = (): typeof PASS => PASS;
const refusing: MadeStages = {
  ...{ admitPrincipal: pass, limitRate: pass, chooseBackend: pass, readBody: pass, forward: pass },
  ...{ joinSseStream: pass, carrySse: pass, limitBackendRate: pass, admitStream: pass },
  admit: () => new Refusal('OVERLOADED'),
};

test('what stages refuse in one turn is answered a few at a time', async () => {
  const run = createPipeline({ ...refusing, onBug: (stage) => assert.fail(stage) });
  const natives = Array.from({ length: 6 }, () => new FakeNativeResponse());
  for (const native of natives) {
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
  }
  const answered = (): number => natives.filter(({ over }) => over).length;
  assert.equal(answered(), 4);
  await nextTurn();
  assert.equal(answered(), 6);
  assert.equal(natives[5]?.log[0], 'status 503 Service Unavailable');
});
