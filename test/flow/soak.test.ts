/** A short soak (`npm run soak` is the long one), and that its judge can tell a failure from a fault. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLedger, type Backend, type Fault, type Seen } from '../../bench/soak/ledger.ts';
import { failuresOf, formatReport } from '../../bench/soak/report.ts';
import { runSoak } from '../../bench/soak/soak.ts';
import { processTree } from '../harness/memory.ts';

test(
  'twenty seconds of mixed traffic, reloads, kills and faults: nothing fails that has no fault to blame',
  { skip: processTree(process.pid) === null && 'this system has no /proc' },
  async (t) => {
    const result = await runSoak({
      seconds: 20,
      clients: 8,
      pauseMs: 20,
      warmUpSeconds: 5,
      faults: {
        reloadMs: 2500,
        killMs: 9000,
        rotationMs: 4000,
        keyEndpointMs: 8000,
        restartMs: 7000,
      },
    });
    t.diagnostic(formatReport(result));
    assert.deepEqual(failuresOf(result), [], formatReport(result));
    const { ledger, faults } = result;
    assert.ok(ledger.kinds.size > 15, 'most kinds of requests were sent');
    assert.ok(faults.reloads > 0 && faults.kills > 0 && faults.upstreamRestarts > 0);
    for (const { asTheyMust, excused } of ledger.kinds.values()) {
      assert.ok(excused <= asTheyMust + 10, 'faults excuse the lesser part');
    }
  },
);

describe('the judge of a soak', () => {
  const seen = (changes: Partial<Seen>): Seen => ({
    ...{ status: 200, text: '', header: () => '', cut: null },
    ...changes,
  });
  const kill: Fault = { what: 'kill' };
  const restart: Fault = { what: 'restart', backend: 'fast' };
  const refusedConnection = { status: 503, text: 'upstream call failed: connection failed' };
  const rows: readonly [string, Fault, Backend, number, Partial<Seen>, excused: boolean][] = [
    ['a reset at the moment of a kill', kill, 'fast', 90, { cut: 'Error: ECONNRESET' }, true],
    ['a reset long after it', kill, 'fast', 800, { cut: 'Error: ECONNRESET' }, false],
    ['a refused connection after a kill', kill, 'fast', 90, { cut: 'ECONNREFUSED' }, false],
    ['a status at the moment of a kill', kill, 'fast', 90, refusedConnection, false],
    ['a 503 while the upstream restarts', restart, 'fast', 90, refusedConnection, true],
    ['a 503 of another upstream', restart, 'stream', 90, refusedConnection, false],
    ['a wrong text while it restarts', restart, 'fast', 90, { text: 'SECRET' }, false],
    ['a stream cut with its upstream', restart, 'fast', 90, { cut: 'aborted' }, true],
    [
      'no keys in a new worker',
      ...([kill, 'fast', 90] as const),
      { status: 503, text: 'authentication is not available: no key set' },
      false,
    ],
  ];
  for (const [name, fault, backend, startedAtMs, changes, excused] of rows) {
    test(`${name} is ${excused ? 'excused' : 'unexpected'}`, () => {
      let nowMs = 80;
      const ledger = createLedger(() => nowMs);
      ledger.beginFault(fault)(500);
      nowMs = startedAtMs + 20;
      const row = { kind: 'k', backend, startedAtMs, isRefusal: false, seen: seen(changes) };
      ledger.judge({ ...row, wrong: 'it is wrong' });
      ledger.judge({ ...row, wrong: null });
      assert.deepEqual(ledger.kinds.get('k'), {
        requests: 2,
        asTheyMust: 1,
        excused: excused ? 1 : 0,
        unexpected: excused ? 0 : 1,
      });
      assert.equal(ledger.complaints.length, excused ? 0 : 1);
    });
  }
});
