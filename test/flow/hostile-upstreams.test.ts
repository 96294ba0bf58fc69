/**
 * Upstreams on their worst day. Whatever they do, each request ends in bounded time with its own status and
 * reason, no half of an answer passes for a whole one, and nothing is left behind: no connection, no
 * memory, no request.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../harness/free-port.ts';
import { begin, mcpHeaders, open, type RequestOptions } from '../harness/http-client.ts';
import { residentBytes } from '../harness/memory.ts';
import { openConnections } from '../harness/open-connections.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import {
  backendTls,
  caConfigMap,
  gateway,
  glooPolicy,
  KGATEWAY_GROUP,
  mcpBackend,
  rbac,
  route,
  staticBackend,
  yaml,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';
import { createAuthority } from '../peers/certificates.ts';
import {
  answerFaults,
  EVENTS_ANSWER,
  EVENTS_HEAD,
  JSON_ANSWER,
  JSON_HEAD,
} from './faults/answer-faults.ts';
import {
  reset,
  startFaultUpstream,
  type Fault,
  type FaultUpstream,
} from './faults/fault-upstream.ts';

const ROUTE_TIMEOUT_MS = 1000;
/** Proves an end on a busy machine, not a speed. */
const BOUND_MS = 15_000;
const IN_FLIGHT = 16;
const MIB = 2 ** 20;
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

/** `held`: answers in JSON are filtered, and so begin for the client when they are complete. */
const ways = [
  { prefix: '/static', held: false, tls: false },
  { prefix: '/mcp', held: true, tls: false },
  { prefix: '/tls', held: false, tls: true },
] as const;

const whole =
  (answer: string): Fault =>
  (socket) =>
    void socket.write(answer);
const cutBy =
  (answer: string, isReset: boolean): Fault =>
  (socket, at) => {
    const cut = (): void => {
      if (isReset) reset(socket);
      else socket.end();
    };
    if (at === 0) cut();
    // What is written just before a reset may never arrive.
    else socket.write(answer.slice(0, at), () => setTimeout(cut, 5));
  };

const faults = new Map<string, Fault>([
  ...answerFaults.map(({ name, fault }) => [name, fault] as const),
  ['json', whole(JSON_ANSWER)],
  ['events', whole(EVENTS_ANSWER)],
  ['json cut by FIN', cutBy(JSON_ANSWER, false)],
  ['json cut by RST', cutBy(JSON_ANSWER, true)],
  ['events cut by FIN', cutBy(EVENTS_ANSWER, false)],
  ['events cut by RST', cutBy(EVENTS_ANSWER, true)],
  ['half a body, then silence', whole(JSON_ANSWER.slice(0, -3))],
  [
    'more than its length',
    whole(`${JSON_ANSWER}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret`),
  ],
]);

interface Outcome {
  /** 0: the connection ended without one. */
  readonly status: number;
  readonly text: string;
  /** Whether the client could tell that the answer is complete. */
  readonly isWhole: boolean;
}

let plain: FaultUpstream;
let secure: FaultUpstream;
let gate: Postern;
let port: number;

before(async () => {
  const authority = await createAuthority();
  plain = await startFaultUpstream(fileScope, faults);
  secure = await startFaultUpstream(
    fileScope,
    faults,
    await authority.issue({ dns: ['tls.test'] }),
  );
  port = await freePort();
  const rule = { timeouts: { request: `${ROUTE_TIMEOUT_MS}ms` } };
  gate = await startPostern(fileScope, {
    resources: yaml(
      gateway({ port }),
      staticBackend({ name: 'static', port: plain.port }),
      mcpBackend({ name: 'mcp', port: plain.port }),
      staticBackend({ name: 'tls', port: secure.port }),
      caConfigMap('ca', authority.certPem),
      backendTls(
        { hostname: 'tls.test', caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] },
        'tls',
      ),
      glooPolicy(rbac('mcp.tool.name == "echo"'), {
        name: 'tools',
        target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' },
      }),
      ...ways.map(({ prefix }) =>
        route({ name: prefix.slice(1), prefix, backend: prefix.slice(1), rule }),
      ),
    ),
    options: ['--upstream-idle-timeout=200ms'],
  });
});

const requestFor = (path: string, fault: string, argument = 0): RequestOptions => ({
  port,
  path,
  body: list,
  headers: { ...mcpHeaders(), 'x-fault': `${fault} ${argument}` },
});

async function ask(path: string, fault: string, argument = 0): Promise<Outcome> {
  const opened = await open(requestFor(path, fault, argument)).catch(() => null);
  if (opened === null) return { status: 0, text: '', isWhole: false };
  const { response } = opened;
  const status = response.statusCode ?? 0;
  let text = '';
  try {
    for await (const piece of response.setEncoding('utf8')) text += piece as string;
    return { status, text, isWhole: true };
  } catch {
    return { status, text, isWhole: false };
  }
}

/** Runs jobs a few at a time. */
async function each<Item>(
  items: readonly Item[],
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

const nothingIsLeft = async (): Promise<void> => {
  await until('no connection to be left', async () => {
    const counts = await Promise.all([plain.port, secure.port, port].map(openConnections));
    return counts.every((count) => count === 0);
  });
  assert.match(await gate.metrics(), /^postern_open_requests 0$/m);
  assert.doesNotMatch(gate.processLog(), /MaxListeners|exception|uncaught|unhandled|died/);
};

for (const { prefix, held, tls } of ways) {
  describe(`${prefix.slice(1)}: an answer with`, { concurrency: IN_FLIGHT }, () => {
    for (const [index, row] of answerFaults.entries()) {
      const { name, status, begins, log } = row;
      const isCut = begins === true && !held;
      const lacksBound = tls && row.unboundedByUndici === true;
      if (lacksBound && isCut) {
        test(`${name} is dropped when the client leaves`, { timeout: BOUND_MS }, async () => {
          const soFar = secure.requests;
          const request = begin(requestFor(prefix, name));
          request.on('error', () => undefined).end(list);
          await until('the upstream to be asked', () => secure.requests > soFar);
          request.destroy();
        });
        continue;
      }
      test(`${name} is ${isCut ? 'cut' : String(status)}`, { timeout: BOUND_MS }, async () => {
        const path = `${prefix}/row-${index}`;
        const outcome = await ask(path, name);
        const line = await gate.waitForAccessLine(new RegExp(`${path} `));
        if (isCut) {
          // The head may have been on its way still.
          assert.ok([0, 200].includes(outcome.status), outcome.text);
          assert.equal(outcome.isWhole, false);
        } else if (lacksBound) {
          assert.equal(outcome.status, 504);
          return;
        } else {
          assert.equal(outcome.status, status, outcome.text);
          assert.match(outcome.text, /^(upstream call failed: |request timeout$)/);
        }
        assert.match(line, log);
      });
    }
  });
}

describe('an answer that ends after any number of octets', () => {
  for (const { prefix, held } of ways) {
    for (const kind of ['json', 'events'] as const) {
      const [answer, head] =
        kind === 'json' ? [JSON_ANSWER, JSON_HEAD] : [EVENTS_ANSWER, EVENTS_HEAD];
      const positions = Array.from({ length: answer.length }, (_, index) => index);
      const isHeld = held && kind === 'json';
      for (const how of ['FIN', 'RST'] as const) {
        test(
          `never passes for a whole one: ${prefix} ${kind} ${how}, ${positions.length} places`,
          { timeout: 120_000 },
          async () => {
            const complete = await ask(prefix, kind);
            assert.deepEqual([complete.status, complete.isWhole], [200, true]);
            await each(positions, async (at) => {
              const { status, text, isWhole } = await ask(prefix, `${kind} cut by ${how}`, at);
              const what = `${prefix} ${kind} ${how} at ${at}: ${status} ${text}`;
              if (at < head.length || isHeld) {
                assert.equal(status, 502, what);
                assert.match(text, /^upstream call failed: /, what);
              } else {
                // A reset may overtake what was sent before it.
                assert.ok([0, 200].includes(status) || (how === 'RST' && status === 502), what);
                if (status === 200) assert.equal(isWhole, false, what);
              }
            });
          },
        );
      }
    }
  }
});

test('half a body holds up the client that waits for it, and only until the client leaves', async () => {
  const { request, response } = await open(requestFor('/static', 'half a body, then silence'));
  assert.equal(response.statusCode, 200);
  request.destroy();
  await until('the upstream to be let go', async () => (await openConnections(plain.port)) === 0);
});

test(
  'half a body of an answer that is filtered is bounded by the time of the route',
  { timeout: BOUND_MS },
  async () => {
    const { status, text } = await ask('/mcp', 'half a body, then silence');
    assert.deepEqual([status, text], [504, 'request timeout']);
  },
);

for (const { prefix } of ways) {
  test(`${prefix}: octets after an answer never become the answer to somebody else`, async () => {
    for (let round = 0; round < 20; round += 1) {
      await ask(prefix, 'more than its length');
      const next = await ask(prefix, 'json');
      assert.equal(next.status, 200);
      assert.doesNotMatch(next.text, /secret/);
    }
  });
}

test('all of it leaves nothing behind', nothingIsLeft);

test(
  'hundreds of rounds of it cost no memory',
  { skip: residentBytes(process.pid) === null && 'this system has no /proc', timeout: 120_000 },
  async () => {
    // Those that wait for a clock would make the test slow and add nothing.
    const quick = answerFaults.filter(
      ({ status, name }) => status === 502 && !name.includes('endless'),
    );
    const jobs = ways.flatMap(({ prefix }) => quick.map(({ name }) => ({ prefix, name })));
    const rounds = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round += 1) {
        await each(jobs, async ({ prefix, name }) => {
          await ask(prefix, name);
        });
      }
    };
    await rounds(4);
    const beforeBytes = residentBytes(gate.pid) ?? 0;
    await rounds(8);
    const growthMib = ((residentBytes(gate.pid) ?? 0) - beforeBytes) / MIB;
    assert.ok(
      growthMib < 40,
      `the gate grew by ${growthMib.toFixed(1)} MiB over ${8 * jobs.length} requests`,
    );
    await nothingIsLeft();
  },
);

after(() => assert.equal(gate.hasEnded(), false));
