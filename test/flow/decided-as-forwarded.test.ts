/**
 * What the gate decided on is what the upstream reads: random messages, valid, mutated and hostile, go through the
 * real gate, and whatever comes out keeps the rules by every reading of its octets.
 */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { parseReference, toValue } from '../json/reference-parser.ts';
import { mutatedBody, randomBody } from '../mcp/random-bodies.ts';
import { VERSION } from '../mcp/messages.ts';
import { ok, startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { mcpHeaders, send } from '../harness/http-client.ts';
import { glooPolicy, KGATEWAY_GROUP, rbac } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { classify } from '../peers/sdk-servers.ts';

const MOST = 100;
const rules = [
  'mcp.tool.name == "echo"',
  `mcp.tool.name == "pay" && mcp.tool.arguments.amount <= ${MOST}`,
  'mcp.prompt.name == "echo"',
  'mcp.resource.name == "test://open"',
];

interface Seen {
  readonly method?: unknown;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** The same rules on what an upstream parsed. Methods that name nothing need no rule. */
function isAllowed({ method, params }: Seen): boolean {
  const name = params?.name;
  switch (method) {
    case 'tools/call': {
      if (name === 'echo') return true;
      const amount = (params?.arguments as Record<string, unknown> | undefined)?.amount;
      return name === 'pay' && typeof amount === 'number' && amount <= MOST;
    }
    case 'prompts/get':
      return name === 'echo';
    case 'resources/read':
      return params?.uri === 'test://open';
    case undefined:
      return true;
    default:
      return /^(tools\/list|ping|initialize|notifications\/.*)$/.test(String(method));
  }
}

let upstream: FakeUpstream;
let gate: Gate;
const agent = new Agent({ keepAlive: true });
fileScope.after(() => agent.destroy());

before(async () => {
  upstream = await startFakeUpstream(fileScope, ({ body }, response) => {
    const { id } = JSON.parse(body) as { id?: unknown };
    response.writeHead(id === undefined ? 202 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...ok, id, result: { tools: [] } }));
  });
  gate = await startGate(fileScope, {
    upstreamPort: upstream.port,
    // What is denied must not go up under any name.
    options: ['--on-deny=unknown'],
    more: [
      glooPolicy(rbac(...rules), {
        name: 'objects',
        target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' },
      }),
    ],
  });
});

/** Sends a body with honest headers; returns what reached the upstream, or `null`. */
async function post(body: Uint8Array): Promise<FakeUpstream['requests'][number] | null> {
  const count = upstream.requests.length;
  const headers = { ...mcpHeaders(), ...mirrored(body) };
  const { status } = await send({ port: gate.port, agent, body, headers });
  assert.ok(status < 500, `${status} for ${Buffer.from(body).toString()}`);
  assert.ok(upstream.requests.length <= count + 1);
  return upstream.requests[count] ?? null;
}

/** What a modern client would send, as far as the body can be read at all. */
function mirrored(body: Uint8Array): Record<string, string> {
  let message: Seen | null;
  try {
    message = JSON.parse(Buffer.from(body).toString('utf8')) as Seen | null;
  } catch {
    return {};
  }
  const meta = message?.params?._meta as Record<string, unknown> | null | undefined;
  const version = meta?.[VERSION];
  const name = message?.params?.name ?? message?.params?.uri;
  const headers = { 'mcp-protocol-version': version, 'mcp-method': message?.method, 'mcp-name': name }; // prettier-ignore
  if (typeof version !== 'string') return {};
  return Object.fromEntries(
    Object.entries(headers).filter(
      (field): field is [string, string] =>
        typeof field[1] === 'string' && /^[!-~]{1,64}$/.test(field[1]),
    ),
  );
}

/** Checks what came out of the gate, and returns its method. */
function checkForwarded(sent: Uint8Array, { body, headers }: FakeUpstream['requests'][number]) {
  assert.equal(body, Buffer.from(sent).toString('utf8'), 'not octet for octet');
  const message = JSON.parse(body) as Seen;
  const tree = parseReference(body);
  assert.ok(tree !== null, body);
  for (const reading of [message, toValue(tree, 'first'), toValue(tree, 'last')]) {
    assert.deepEqual(reading, message);
    assert.ok(isAllowed(reading), body);
  }
  const sorted = classify(fieldsOf(headers), message);
  const claim = (message.params?._meta as Record<string, unknown> | undefined)?.[VERSION];
  if (sorted.kind !== 'reject') {
    assert.equal(sorted.kind, claim === undefined ? 'legacy' : 'modern', body);
  }
  return message.method;
}

function fieldsOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (field): field is [string, string] => typeof field[1] === 'string',
    ),
  );
}

const amounts = fc.oneof(
  fc.constantFrom('100', '1e2', '100.0', '100.00000000000000001', '-1', '0', '1e-400'),
  fc.constantFrom(
    '101',
    '1e3',
    '100.00000000000001',
    '1E2000',
    '"100"',
    'null',
    '[1]',
    '{}',
    'true',
  ),
  fc.integer().map(String),
  fc.double().map((value) => JSON.stringify(value)),
);
const payment = fc
  .tuple(
    amounts,
    amounts,
    fc.constantFrom(
      '',
      '"amount":@,',
      '"am\\u006funt":@,',
      '"Amount":@,',
      '"__proto__":{"amount":@},',
    ),
  )
  .map(([amount, other, more]) =>
    Buffer.from(
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"pay","arguments":{${more.replace('@', other)}"amount":${amount}}}}`,
    ),
  );

describe('what comes out of the gate keeps the rules by every reading', () => {
  const kinds = [
    ['random messages', randomBody.map((text): Uint8Array => Buffer.from(text)), 40],
    ['mutated messages', mutatedBody, 10],
    ['arguments that a rule reads', payment, 15],
  ] as const;
  for (const [name, bodies, leastForwarded] of kinds) {
    test(name, async (t) => {
      let forwarded = 0;
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const request = await post(body);
          if (request === null) return;
          checkForwarded(body, request);
          forwarded += 1;
        }),
        { numRuns: 500 },
      );
      t.diagnostic(`${forwarded} of 500 were forwarded`);
      assert.ok(forwarded >= leastForwarded, `only ${forwarded} were forwarded`);
    });
  }
});
