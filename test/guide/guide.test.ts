/**
 * The guide "Secure access to MCP servers", step by step: the real gate, a real MCP server behind it,
 * real clients in front, the guide's own resources, key and tokens. One gate runs through all steps;
 * each step changes its resource file, as `kubectl apply` would.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { startEverythingServer } from '../harness/everything-server.ts';
import { freePort } from '../harness/free-port.ts';
import { initialize, send, sendMcp } from '../harness/http-client.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import { fileScope, type Scope } from '../harness/scope.ts';
import { runInspector } from '../peers/inspector-cli.ts';
import { connectMcpRemote } from '../peers/mcp-remote.ts';
import { connectSdk1 } from '../peers/sdk1-client.ts';
import { connectSdk2 } from '../peers/sdk2-client.ts';

const config = new URL('../../config/', import.meta.url);
const alice = readFileSync(new URL('quickstart/alice.jwt', config), 'utf8').trim();
const bob = readFileSync(new URL('quickstart/bob.jwt', config), 'utf8').trim();

let gatePort: number;
let serverPort: number;
let postern: Postern;
let url: string;

before(async () => {
  serverPort = (await startEverythingServer(fileScope)).port;
  gatePort = await freePort();
  url = `http://127.0.0.1:${gatePort}/mcp`;
  postern = await startPostern(fileScope, { resources: example('01-open.yaml') });
});

/** An example of config/, on the ports of this test. */
function example(name: string): string {
  const text = readFileSync(new URL(`examples/${name}`, config), 'utf8')
    .replaceAll('port: 8080', `port: ${gatePort}`)
    .replaceAll('port: 3001', `port: ${serverPort}`);
  assert(text.includes(`port: ${gatePort}`) && text.includes(`port: ${serverPort}`));
  return text;
}

interface EchoClient {
  readonly name: string;
  /** Connects, calls the tool `echo` with this message and returns the text of its answer. */
  readonly echo: (scope: Scope, token: string | undefined, message: string) => Promise<string>;
}

const sdkClients = [
  { name: 'SDK 1.x', connect: connectSdk1 },
  { name: 'SDK 2.x in auto mode', connect: connectSdk2 },
  { name: 'mcp-remote', connect: connectMcpRemote },
];

const clients: readonly EchoClient[] = [
  ...sdkClients.map(({ name, connect }) => ({
    name,
    async echo(scope: Scope, token: string | undefined, message: string) {
      const client = await connect(scope, url, token);
      const { tools } = await client.listTools();
      assert(tools.some((tool) => tool.name === 'echo'));
      return textOf(await client.callTool({ name: 'echo', arguments: { message } }));
    },
  })),
  {
    name: 'Inspector CLI',
    async echo(scope, token, message) {
      const call = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg'];
      const run = await runInspector(scope, url, token, [...call, `message=${message}`]);
      if (run.exitCode !== 0) throw new Error(`exit code ${run.exitCode}: ${run.stderr}`);
      return textOf((JSON.parse(run.stdout) as { result: unknown }).result);
    },
  },
];

function textOf(result: unknown): string {
  const { content } = result as { content: { text: string }[] };
  return content[0]?.text ?? '';
}

function connects(who: string, token: string | undefined): void {
  for (const client of clients) {
    test(`${client.name} connects ${who} and calls a tool`, async (t) => {
      assert.equal(await client.echo(t, token, 'hello'), 'Echo: hello');
    });
  }
}

function isRefused(who: string, token: string | undefined): void {
  for (const client of clients) {
    test(`${client.name} is refused ${who}`, async (t) => {
      await assert.rejects(client.echo(t, token, 'hello'));
    });
  }
}

interface Refusal {
  readonly name: string;
  readonly token: string | undefined;
  readonly status: number;
  readonly body: string | RegExp;
}

/**
 * The request line of the guide: time and level, then its fields in its order; ours come after them. The
 * native server for Node 20 does not tell the client's port.
 */
function logLine(status: number, error: string): RegExp {
  return new RegExp(
    String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\s+info\s+request ` +
      String.raw`gateway=gloo-system/agentgateway listener=http route=gloo-system/mcp ` +
      String.raw`src\.addr=127\.0\.0\.1(:\d+)? http\.method=POST http\.host=127\.0\.0\.1 ` +
      String.raw`http\.path=/mcp http\.version=HTTP/1\.1 http\.status=${status} ` +
      String.raw`error=${error} duration=\d+ms( [a-z]+=\S+)*$`,
  );
}

function refuses(rows: readonly Refusal[]): void {
  for (const { name, token, status, body } of rows) {
    test(`${name}: ${status} ${String(body)}`, async () => {
      const answer = await sendMcp(gatePort, initialize, token === undefined ? {} : { token });
      assert.equal(answer.status, status);
      assert.match(answer.headers['content-type'] ?? '', /^text\/plain/);
      if (typeof body === 'string') assert.equal(answer.text, body);
      else assert.match(answer.text, body);
      assert.equal(answer.headers['www-authenticate'] !== undefined, status === 401);
    });
  }
}

const [aliceHeader, alicePayload, aliceSignature] = alice.split('.') as [string, string, string];
const anyTokenError =
  /^authentication failure: the token (header is malformed: Error\(InvalidToken\)|is invalid or malformed: Error\(\w+\))$/;

/** What the JWT policy refuses. Each body follows `authentication failure: `. */
function tokenRefusals(status: number): readonly Refusal[] {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const withHeader = (header: unknown) => `${encode(header)}.${alicePayload}.${aliceSignature}`;
  const failure = 'authentication failure:';
  const malformed = `${failure} the token header is malformed: Error(InvalidToken)`;
  const badSignature = `${failure} the token is invalid or malformed: Error(InvalidSignature)`;
  const changed = encode({ iss: 'solo.io', sub: 'alice', exp: 4102444800 });
  return [
    {
      name: 'no token',
      token: undefined,
      status,
      body: `${failure} no bearer token found`,
    },
    { name: 'the token "abcdefg"', token: 'abcdefg', status, body: malformed },
    {
      name: 'a token without kid',
      token: withHeader({ alg: 'RS256', typ: 'JWT' }),
      status,
      body: `${failure} the token header does not specify a \`kid\``,
    },
    {
      name: 'a token of an unknown key',
      token: withHeader({ alg: 'RS256', typ: 'JWT', kid: 'other-key' }),
      status,
      body: `${failure} token uses the unknown key "other-key"`,
    },
    {
      name: "Alice's token with claims that were changed",
      token: `${aliceHeader}.${changed}.${aliceSignature}`,
      status,
      body: badSignature,
    },
    {
      name: "Alice's token with Bob's signature",
      token: `${aliceHeader}.${alicePayload}.${bob.split('.')[2]}`,
      status,
      body: badSignature,
    },
    {
      name: "Alice's token with alg none",
      token: `${encode({ alg: 'none', kid: 'solo-public-key-001' })}.${alicePayload}.`,
      status,
      body: anyTokenError,
    },
    // The guide's text runs some tokens into the word after them.
    { name: "Alice's token glued to 'Save'", token: `${alice}Save`, status, body: anyTokenError },
    { name: "Alice's token glued to 'Click'", token: `${alice}Click`, status, body: anyTokenError },
  ];
}

describe('before any policy', () => {
  connects('without a token', undefined);
});

describe('validate JWT tokens', () => {
  before(() => postern.reload(example('02-jwt.yaml')));

  refuses(tokenRefusals(403));

  test('the log says why, in the form of the guide', async () => {
    await postern.waitForAccessLine(logLine(403, 'authentication failure: no bearer token found'));
  });

  for (const method of ['GET', 'DELETE']) {
    test(`${method} needs a token too`, async () => {
      const answer = await send({ port: gatePort, method });
      assert.equal(answer.status, 403);
      assert.equal(answer.text, 'authentication failure: no bearer token found');
    });
  }

  isRefused('without a token', undefined);
  isRefused('with an invalid token', 'abcdefg');
  connects('as Alice', alice);
  connects('as Bob', bob);

  test('the SDK is told the status and the reason', async (t) => {
    await assert.rejects(connectSdk1(t, url), (error: Error & { code?: unknown }) => {
      assert.equal(error.code, 403);
      assert.match(error.message, /authentication failure: no bearer token found/);
      return true;
    });
  });

  test('the Inspector CLI reports the refusal of its connection', async (t) => {
    const { exitCode, stderr } = await runInspector(t, url, undefined, ['--method', 'tools/list']);
    assert.equal(exitCode, 3);
    assert.match(stderr, /authentication failure: no bearer token found/);
  });
});

describe('authorize access based on JWT claims', () => {
  before(() => postern.reload(example('03-jwt-rbac.yaml')));

  refuses([
    { name: 'Bob', token: bob, status: 403, body: 'authorization failed' },
    ...tokenRefusals(403),
  ]);

  test('the log says who was refused and by which policy', async () => {
    const line = await postern.waitForAccessLine(/error=authorization failed/);
    assert.match(line, /http\.status=403 .*jwt\.sub=bob/);
    assert.match(line, /reason=Authorization/);
    assert.match(line, /policy=gloo-system\/jwt/);
  });

  isRefused('as Bob', bob);
  connects('as Alice', alice);
});

describe('the younger policy kind', () => {
  before(() => postern.reload(youngerPolicy()));

  refuses(tokenRefusals(401));
  refuses([{ name: 'Bob', token: bob, status: 403, body: 'authorization failed' }]);

  test('an answer to a request without a token carries a Bearer challenge', async () => {
    const answer = await sendMcp(gatePort, initialize);
    assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer\b/);
  });

  isRefused('as Bob', bob);
  connects('as Alice', alice);
});

/** The last stage of the guide with an AgentgatewayPolicy in place of the GlooTrafficPolicy. */
function youngerPolicy(): string {
  const [, gatewayAndRoute, jwks] = /^([^]*)---\napiVersion: gloo[^]*key: ('.*')/.exec(
    example('03-jwt-rbac.yaml'),
  ) as unknown as [string, string, string];
  return `${gatewayAndRoute}---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: jwt, namespace: gloo-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: agentgateway}]
  traffic:
    jwtAuthentication: {mode: Strict, providers: [{issuer: solo.io, jwks: {inline: ${jwks}}}]}
    authorization: {action: Allow, policy: {matchExpressions: ['jwt.sub == "alice"']}}
`;
}

test('no token was written to a log', () => {
  const logs = postern.accessLog() + postern.processLog();
  for (const secret of [aliceSignature, bob.split('.')[2], alicePayload]) {
    assert(secret !== undefined && !logs.includes(secret));
  }
});

test('the quick start is the last stage of the guide', () => {
  const folder = ['gateway.yaml', 'mcp-server.yaml', 'policy.yaml'];
  const parts = folder.map((name) => readFileSync(new URL(`quickstart/${name}`, config), 'utf8'));
  const withoutComments = (text: string) => text.replace(/^#.*\n/gm, '');
  assert.equal(
    withoutComments(parts.join('---\n')),
    withoutComments(readFileSync(new URL('examples/03-jwt-rbac.yaml', config), 'utf8')),
  );
});
