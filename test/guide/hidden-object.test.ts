/**
 * Hidden means hidden: whoever may not use an object can't tell from any answer whether there is one. Each server
 * answers for a hidden object exactly as for one that it does not have and that the rules would allow.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startEverythingServer } from '../harness/everything-server.ts';
import { withoutEventIds } from '../harness/event-ids.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, sendMcp, type Answer } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { startSdk1SecretServer, startSdk2SecretServer } from '../peers/secret-servers.ts';

const issuer = await createIssuer();
const token = await issuer.sign({ sub: 'alice' });
const backend = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
const META = 'io.modelcontextprotocol';
const modernMeta = {
  [`${META}/protocolVersion`]: '2026-07-28',
  [`${META}/clientCapabilities`]: {},
};

interface Server {
  readonly name: string;
  readonly era: 'legacy' | 'modern';
  readonly port: () => Promise<number>;
  /** Denied, though it is there; and allowed, though it is not: of the same length. */
  readonly tool: readonly [string, string];
  readonly prompt: readonly [string, string];
  readonly resource: readonly [string, string];
}

const secrets = {
  tool: ['secret', 'absent'],
  prompt: ['secret', 'absent'],
  resource: ['test://secret/x', 'test://absent/x'],
} as const;
const sdk2 = () => startSdk2SecretServer(fileScope);
const servers: readonly Server[] = [
  {
    name: 'SDK 1, JSON',
    era: 'legacy',
    port: () => startSdk1SecretServer(fileScope, true),
    ...secrets,
  },
  {
    name: 'SDK 1, events',
    era: 'legacy',
    port: () => startSdk1SecretServer(fileScope, false),
    ...secrets,
  },
  { name: 'SDK 2, legacy', era: 'legacy', port: sdk2, ...secrets },
  { name: 'SDK 2, modern', era: 'modern', port: sdk2, ...secrets },
  {
    name: 'server-everything',
    era: 'legacy',
    port: async () => (await startEverythingServer(fileScope)).port,
    tool: ['get-sum', 'got-sum'],
    prompt: ['simple-prompt', 'sample-prompt'],
    resource: [
      'demo://resource/static/document/features.md',
      'demo://resource/static/document/fixtures.md',
    ],
  },
];

for (const server of servers) {
  describe(server.name, () => {
    let gate: Gate;
    let session: Record<string, string>;

    before(async () => {
      const allowed = [
        `mcp.tool.name == "${server.tool[1]}"`,
        `mcp.prompt.name == "${server.prompt[1]}"`,
        `mcp.resource.name == "${server.resource[1]}"`,
      ];
      gate = await startGate(fileScope, {
        upstreamPort: await server.port(),
        more: [
          glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
          glooPolicy(
            { rbac: { policy: { matchExpressions: allowed } } },
            { name: 'objects', target: backend },
          ),
        ],
      });
      session = {};
      if (server.era === 'modern') return;
      const { headers } = await sendMcp(gate.port, initialize, { token });
      const id = headers['mcp-session-id'];
      if (id !== undefined) session = { 'mcp-session-id': String(id) };
      const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
      await sendMcp(gate.port, initialized, { token, headers: session });
    });

    const ask = (method: string, params: object, name: string): Promise<Answer> => {
      if (server.era === 'legacy') {
        return sendMcp(
          gate.port,
          { jsonrpc: '2.0', id: 7, method, params },
          { token, headers: session },
        );
      }
      const message = { jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: modernMeta } };
      const isNamed = ['tools/call', 'prompts/get', 'resources/read'].includes(method);
      const headers = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(isNamed ? { 'mcp-name': name } : {}),
      };
      return sendMcp(gate.port, message, { token, headers });
    };

    const argument = { name: 'a', value: 'b' };
    const rows: readonly [string, readonly [string, string], (name: string) => object][] = [
      ['tools/call', server.tool, (name) => ({ name, arguments: { a: 40, b: 2 } })],
      ['tools/call', server.tool, (name) => ({ name })],
      ['prompts/get', server.prompt, (name) => ({ name })],
      ['resources/read', server.resource, (uri) => ({ uri })],
      ['resources/subscribe', server.resource, (uri) => ({ uri })],
      [
        'completion/complete',
        server.prompt,
        (name) => ({ ref: { type: 'ref/prompt', name }, argument }),
      ],
      [
        'completion/complete',
        server.resource,
        (uri) => ({ ref: { type: 'ref/resource', uri }, argument }),
      ],
    ];
    for (const [method, [denied, missing], paramsFor] of rows) {
      test(`${method} of a hidden object looks like that of a missing one: ${Object.keys(paramsFor('')).join()}`, async () => {
        const hidden = await ask(method, paramsFor(denied), denied);
        const absent = await ask(method, paramsFor(missing), missing);
        const said = withoutEventIds(hidden.text);
        assert.ok(!said.includes('SECRET') && !said.includes('42'), hidden.text);
        assert.deepEqual(comparable(hidden, denied), comparable(absent, missing));
        assert.ok(!hidden.text.includes('postern-'), hidden.text);
      });
    }

    test('the log and the metrics know of the denial, with the status of the upstream', async () => {
      const { status } = await ask('tools/call', { name: server.tool[0] }, server.tool[0]);
      const line = await gate.waitForAccessLine(/mcp\.method\.name=tools\/call/);
      assert.match(line, new RegExp(`http\\.status=${status} `));
      assert.match(
        line,
        /error=authorization failed .*reason=Authorization policy=default\/objects/,
      );
      assert.match(line, new RegExp(`gen_ai\\.tool\\.name=${server.tool[0]}`));
      assert.match(
        await gate.metrics(),
        /requests_total\{[^}]*reason="Authorization"[^}]*\} [1-9]/,
      );
    });
  });
}

/** Status, header fields in their order, and body, but for what no two answers share. */
function comparable({ status, headers, text }: Answer, name: string) {
  return {
    status,
    // A session id is sealed anew for each answer.
    fields: Object.entries({ ...headers, date: '' }).map(([field, value]) =>
      field === 'mcp-session-id' ? [field, String(value).length] : [field, value],
    ),
    // The comment that carries the head comes where the first event is late, whatever was asked for.
    text: withoutEventIds(text.replaceAll(name, 'NAME')).replace(/^:\n\n/, ''),
  };
}
