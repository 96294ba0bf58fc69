import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Hold } from '../../src/authenticate/hold.ts';
import type { KeySet } from '../../src/authenticate/key-set.ts';
import type { Principal } from '../../src/authenticate/principal.ts';
import { Exchange } from '../../src/exchange.ts';
import { PrincipalFindings } from '../../src/principal-findings.ts';
import type { ListenerTable } from '../../src/route/listener-table.ts';
import type { ListenerRuntime, RuleRuntime } from '../../src/runtime.ts';
import { createStreamWatch } from '../../src/streams/stream-watch.ts';
import type { StreamEnding } from '../../src/streams/stream-ending.ts';

const DAY_MS = 86_400_000;
const GRACE_MS = 5_000;
const SKEW_MS = 60_000;
const KEEP_ALIVE_MS = 15_000;

const keySet = { generation: 1, has: () => true };

function principalUntil(expiresAtMs: number): Principal {
  const claims = { exp: expiresAtMs / 1000, sub: 'alice' };
  const findings = new PrincipalFindings();
  findings.hold = { keySet: keySet as unknown as KeySet, generation: 1 } as Hold;
  return { claims, expiresAtMs: expiresAtMs + SKEW_MS, findings } as unknown as Principal;
}

/** A table that leads every request to one rule that `allows` it, or not. */
function tableOf(decide: () => boolean = () => true, accepts: 'held' | 'key_removed' = 'held') {
  const backend = { upstream: { backendName: 'default/b' }, mcp: null };
  const rule = {
    authenticators: [
      {
        policy: 'default/jwt',
        reconsider: (earlier: readonly Hold[]) =>
          accepts === 'held' ? (earlier[0] ?? null) : accepts,
      },
    ],
    authorizer: {
      authorize: () =>
        decide()
          ? { allowed: true }
          : { allowed: false, policy: 'default/rules', rule: 'false', detail: 'why' },
    },
    backends: {
      choose: () => null,
      find: (name: string) => (name === 'default/b' ? backend : null),
    },
  } as unknown as RuleRuntime;
  const routes = { find: () => ({ rule, matchedPrefixLength: 0 }) };
  const listener = { routes, hostname: null } as unknown as ListenerRuntime;
  return { find: () => listener } satisfies ListenerTable;
}

function setUp() {
  const table = tableOf();
  const exchanges = new Set<Exchange>();
  const state = { nowMs: 1_000_000, later: [] as (() => void)[], bugs: 0 };
  const watch = createStreamWatch({
    exchanges,
    clock: () => state.nowMs,
    monotonicNow: () => state.nowMs,
    graceMs: GRACE_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    onBug: () => (state.bugs += 1),
    later: (rest) => state.later.push(rest),
  });
  watch.reload(new Map([['|80', table]]));

  function open(principal: Principal | null, isEventStream = true) {
    const head = { host: 'h', scheme: 'http', path: '/', method: 'GET', headers: [] };
    const responder = { started: true, finished: false, bodyBytes: 0 };
    const exchange = new Exchange(
      head as unknown as Exchange['head'],
      responder as Exchange['responder'],
      null,
      table,
      null,
      state.nowMs,
      0,
    );
    const seen = { endings: [] as StreamEnding[], comments: 0, responder, exchange };
    exchange.principal = principal;
    exchange.isEventStream = isEventStream;
    exchange.upstream = { backendName: 'default/b' } as Exchange['upstream'];
    exchange.answer = {
      get isRunning() {
        return responder.started && !responder.finished;
      },
      revoke(ending) {
        seen.endings.push(ending);
        responder.finished = true;
      },
      keepAlive() {
        seen.comments += 1;
        responder.bodyBytes += 3;
      },
    };
    exchanges.add(exchange);
    return seen;
  }
  const lookAt = (nowMs: number) => {
    state.nowMs = nowMs;
    watch.look();
  };
  return { watch, state, exchanges, open, lookAt };
}

const reasons = ({ endings }: { endings: readonly StreamEnding[] }) =>
  endings.map(({ reason }) => reason);

describe('an open answer', () => {
  test('ends when its token has expired and the grace is over, and once only', () => {
    const run = setUp();
    const expiresAtMs = run.state.nowMs + 3_000;
    const alice = run.open(principalUntil(expiresAtMs));
    const bob = run.open(principalUntil(expiresAtMs + DAY_MS));
    const nobody = run.open(null);
    run.lookAt(expiresAtMs + GRACE_MS - 1);
    assert.deepEqual(reasons(alice), []);
    run.lookAt(expiresAtMs + GRACE_MS);
    run.lookAt(expiresAtMs + GRACE_MS + 1000);
    assert.deepEqual(reasons(alice), ['token_expired']);
    assert.deepEqual([...reasons(bob), ...reasons(nobody)], []);
  });

  test('that was opened within the clock skew has the skew too', () => {
    const run = setUp();
    const expiresAtMs = run.state.nowMs - 30_000;
    const stream = run.open(principalUntil(expiresAtMs));
    run.lookAt(expiresAtMs + SKEW_MS + GRACE_MS - 1);
    assert.deepEqual(reasons(stream), []);
    run.lookAt(expiresAtMs + SKEW_MS + GRACE_MS);
    assert.deepEqual(reasons(stream), ['token_expired']);
  });

  test('ends with the first of its tokens', () => {
    const run = setUp();
    const stream = run.open(principalUntil(run.state.nowMs + DAY_MS));
    stream.exchange.earlierPrincipals = [principalUntil(run.state.nowMs + 1000)];
    run.lookAt(run.state.nowMs + 1000 + GRACE_MS);
    assert.deepEqual(reasons(stream), ['token_expired']);
  });

  test('may last longer than any timer of Node', () => {
    const run = setUp();
    const expiresAtMs = run.state.nowMs + 60 * DAY_MS;
    const stream = run.open(principalUntil(expiresAtMs));
    for (const days of [1, 24, 25, 59]) run.lookAt(run.state.nowMs + days);
    run.lookAt(expiresAtMs);
    assert.deepEqual(reasons(stream), []);
    run.lookAt(expiresAtMs + GRACE_MS);
    assert.deepEqual(reasons(stream), ['token_expired']);
  });

  test('is no concern before it has begun', () => {
    const run = setUp();
    const stream = run.open(principalUntil(run.state.nowMs));
    stream.responder.started = false;
    run.lookAt(run.state.nowMs + DAY_MS);
    assert.deepEqual(reasons(stream), []);
  });

  test('ends when its key leaves the set', () => {
    const run = setUp();
    const stream = run.open(principalUntil(run.state.nowMs + DAY_MS));
    const hold = { generation: 1, keySet: { generation: 2, has: () => false } };
    const { findings } = stream.exchange.principal ?? assert.fail();
    findings.hold = hold as unknown as Hold;
    run.lookAt(run.state.nowMs + 1000);
    assert.deepEqual(reasons(stream), ['key_removed']);
  });
});

describe('a reload', () => {
  const rows: readonly [string, ReadonlyMap<string, ListenerTable>, string[]][] = [
    ['that allows it leaves the stream', new Map([['|80', tableOf()]]), []],
    ['whose rules refuse it ends it', new Map([['|80', tableOf(() => false)]]), ['denied']],
    [
      'without its key ends it',
      new Map([['|80', tableOf(undefined, 'key_removed')]]),
      ['key_removed'],
    ],
    ['without its port ends it', new Map(), ['route_removed']],
    ['without its listener ends it', new Map([['|80', { find: () => null }]]), ['route_removed']],
  ];
  for (const [name, tables, expected] of rows) {
    test(name, () => {
      const run = setUp();
      const stream = run.open(principalUntil(run.state.nowMs + DAY_MS));
      run.watch.look();
      run.watch.reload(tables);
      assert.deepEqual(reasons(stream), expected);
    });
  }

  test('is minded by a stream that began before it and was not looked at yet', () => {
    const run = setUp();
    run.watch.reload(new Map([['|80', tableOf(() => false)]]));
    const late = run.open(principalUntil(run.state.nowMs + DAY_MS));
    run.watch.look();
    assert.deepEqual(reasons(late), ['denied']);
  });

  test('that fails while deciding ends the stream', () => {
    const run = setUp();
    const stream = run.open(principalUntil(run.state.nowMs + DAY_MS));
    const broken = tableOf(() => assert.fail('a bug'));
    run.watch.reload(new Map([['|80', broken]]));
    assert.deepEqual([reasons(stream), run.state.bugs], [['denied'], 1]);
  });

  test('decides on ten thousand streams in turns', () => {
    const run = setUp();
    const streams = Array.from({ length: 10_000 }, () =>
      run.open(principalUntil(run.state.nowMs + DAY_MS)),
    );
    let decisions = 0;
    const slow = tableOf(() => {
      decisions += 1;
      // A tenth of a millisecond each, by the clock that the watch reads.
      run.state.nowMs += 0.1;
      return false;
    });
    run.watch.reload(new Map([['|80', slow]]));
    let most = decisions;
    for (let rest = run.state.later.shift(); rest !== undefined; rest = run.state.later.shift()) {
      const before = decisions;
      rest();
      most = Math.max(most, decisions - before);
    }
    assert.equal(decisions, 10_000);
    assert.ok(most <= 64, `${most} in one turn`);
    assert.ok(streams.every((stream) => reasons(stream)[0] === 'denied'));
  });
});

describe('a comment', () => {
  test('is written into a stream that was silent for long, and again after as long', () => {
    const run = setUp();
    const silent = run.open(null);
    const busy = run.open(null);
    const body = run.open(null, false);
    const startMs = run.state.nowMs;
    for (let second = 0; second <= 31; second += 1) {
      busy.responder.bodyBytes += 1;
      run.lookAt(startMs + second * 1000);
    }
    assert.equal(silent.comments, 2);
    assert.equal(busy.comments, 0);
    assert.equal(body.comments, 0);
  });
});
