/**
 * The official servers as judges: what the gate reads in a message, and lets pass, they must read too. Bodies are
 * random (`random-bodies.ts`).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkHeaders } from '../../src/mcp/check-headers.ts';
import type { McpMessage } from '../../src/mcp/message.ts';
import { foldCase } from '../../src/json/fold-case.ts';
import { readMessage } from '../../src/mcp/read-message.ts';
import { parseReference, toValue, type Node } from '../json/reference-parser.ts';
import { classify, sdk1, sdk2 } from '../peers/sdk-servers.ts';
import { call, fields, modernCall, request, VERSION } from './messages.ts';
import { randomBody } from './random-bodies.ts';

type Headers = Readonly<Record<string, string>>;

/** Headers that agree with the body, are absent, or lie. */
const headersFor = (text: string): fc.Arbitrary<Headers> => {
  const message = readMessage(Buffer.from(text));
  const version = 'protocolVersion' in message ? message.protocolVersion : null;
  const honest: Record<string, string> = {
    ...('method' in message ? { 'mcp-method': message.method } : {}),
    ...(version === null ? {} : { 'mcp-protocol-version': version }),
  };
  if ('object' in message && message.object !== null) {
    const named = message.object;
    const value = 'name' in named ? named.name : 'uri' in named ? named.uri : null;
    if (value !== null) {
      const isPlain = /^[!-~]*$/.test(value);
      honest['mcp-name'] = isPlain ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
    }
  }
  const lies = fc.record(
    {
      'mcp-method': fc.constantFrom('tools/list', 'tools/call', 'ping'),
      'mcp-name': fc.constantFrom('echo', 'secret', '=?base64?ZWNobw==?='),
      'mcp-protocol-version': fc.constantFrom('2026-07-28', '2025-11-25'),
    },
    { requiredKeys: [] },
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(honest) },
    { weight: 1, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: lies.map((lie) => ({ ...honest, ...lie })) },
  );
};
const posts = randomBody.chain((text) => headersFor(text).map((headers) => ({ text, headers })));

// -- other readers ----------------------------------------------------------------------------------------------

/** An object reader without regard to case, of whose matches the last wins, as Go's is. */
function lookUp(node: Node | undefined, name: string): Node | undefined {
  if (node?.type !== 'object') return undefined;
  return node.members.findLast(([other]) => foldCase(other) === foldCase(name))?.[1];
}

/** What decides, as a reader sees it: method, name, URI and claim. */
function seenIn(value: unknown): unknown[] {
  const top = value as { method?: unknown; params?: Record<string, unknown> };
  const claim = (top.params?._meta as Record<string, unknown> | undefined)?.[VERSION];
  return [top.method, top.params?.name, top.params?.uri, claim];
}

function seenByFolding(tree: Node): unknown[] {
  const params = lookUp(tree, 'params');
  return [
    lookUp(tree, 'method'),
    lookUp(params, 'name'),
    lookUp(params, 'uri'),
    lookUp(lookUp(params, '_meta'), VERSION),
  ].map((node) => (node === undefined ? undefined : toValue(node, 'last')));
}

function accept({ text, headers }: { text: string; headers: Headers }): McpMessage | null {
  const message = readMessage(Buffer.from(text));
  if (message.kind === 'fault') return null;
  return checkHeaders(message, fields(headers)) === null ? message : null;
}

describe('what is let pass', () => {
  it('reads alike to readers that keep the first, the last, or do not mind case', () => {
    let accepted = 0;
    fc.assert(
      fc.property(posts, (post) => {
        const message = accept(post);
        if (message === null) return;
        accepted += 1;
        const tree = parseReference(post.text);
        assert.ok(tree !== null, 'not JSON');
        const seen = seenIn(JSON.parse(post.text));
        assert.deepEqual(seenIn(toValue(tree, 'first')), seen);
        assert.deepEqual(seenIn(toValue(tree, 'last')), seen);
        assert.deepEqual(seenByFolding(tree), seen);
        if (message.kind === 'response') return;
        assert.equal(message.method, seen[0]);
        assert.equal(message.protocolVersion, seen[3] ?? null);
        if (message.object?.type === 'tool' || message.object?.type === 'prompt') {
          assert.equal(message.object.name, seen[1]);
        }
        if (message.object?.type === 'resource') assert.equal(message.object.uri, seen[2]);
      }),
      { numRuns: 4000 },
    );
    assert.ok(accepted > 800, `only ${accepted} were accepted`);
  });

  it('is sorted by the SDK as by the gate', () => {
    let sorted = 0;
    fc.assert(
      fc.property(posts, (post) => {
        const message = accept(post);
        if (message === null) return;
        const outcome = classify(post.headers, JSON.parse(post.text));
        if (outcome.kind === 'reject') return;
        sorted += 1;
        assert.equal(outcome.kind, message.era);
        if (outcome.kind === 'modern') {
          assert.equal(outcome.messageKind, message.kind);
          assert.equal(outcome.message.method, 'method' in message ? message.method : null);
        } else if (outcome.reason === 'response' || outcome.reason === 'notification') {
          assert.equal(outcome.reason, message.kind);
        } else {
          assert.equal(message.kind, 'request');
        }
      }),
      { numRuns: 4000 },
    );
    assert.ok(sorted > 600, `only ${sorted} were sorted`);
  });

  for (const [name, serve] of [
    ['sdk 1', sdk1],
    ['sdk 2', sdk2],
  ] as const) {
    it(`never makes ${name} tell a secret that the gate did not see asked for`, async () => {
      let told = 0;
      await fc.assert(
        fc.asyncProperty(posts, async (post) => {
          const message = accept(post);
          if (message?.kind !== 'request') return;
          const { object } = message;
          const isAsked =
            ((object?.type === 'tool' || object?.type === 'prompt') && object.name === 'secret') ||
            (object?.type === 'resource' && object.canonicalUri === 'test://secret/x');
          const answer = await (await serve(post.headers, Buffer.from(post.text))).text();
          if (!answer.includes('SECRET')) return;
          assert.ok(isAsked, post.text);
          told += 1;
        }),
        { numRuns: 1000 },
      );
      // The secret can be had, or the test would show nothing.
      assert.ok(told > 10, `told ${told} times`);
    });
  }
});

describe('the probes that a server alone falls for', () => {
  const secret = { name: 'secret' };
  const legacy = JSON.stringify(call('tools/call', secret));
  const modern = JSON.stringify(modernCall('tools/call', secret));
  const lie = { 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
  const modernLie = { ...lie, 'mcp-protocol-version': '2026-07-28' };
  // prettier-ignore
  const probes: [name: string, text: string, headers: Headers, servers: string][] = [
    ['a modern body under another name', modern, modernLie, ''],
    ['a legacy body under another name', legacy, lie, 'sdk1 sdk2'],
    ['a legacy body under a modern version', legacy, modernLie, ''],
    ['a batch', `[${legacy}]`, {}, 'sdk1 sdk2'],
    ['a batch under a legacy version', `[${legacy}]`, { 'mcp-protocol-version': '2025-11-25' }, 'sdk1 sdk2'],
    ['two methods', legacy.replace('"method"', '"method":"tools/list","method"'), {}, 'sdk1 sdk2'],
    ['two methods, one escaped', legacy.replace('"method"', '"method":"tools/list","\\u006dethod"'), {}, 'sdk1 sdk2'],
    ['two names', legacy.replace('"name"', '"name":"echo","name"'), {}, 'sdk1 sdk2'],
    ['two names, one escaped', legacy.replace('"name"', '"name":"echo","\\u006eame"'), {}, 'sdk1 sdk2'],
    ['two params', legacy.replace('"params"', '"params":{"name":"echo"},"params"'), {}, 'sdk1 sdk2'],
    ['a byte order mark', `\ufeff${legacy}`, {}, 'sdk1 sdk2'],
  ];
  for (const [name, text, headers, servers] of probes) {
    it(`are refused: ${name}`, async () => {
      assert.equal(accept({ text, headers }), null);
      // As measured; a change of the servers is worth knowing.
      const fallen = [];
      for (const [server, serve] of [
        ['sdk1', sdk1],
        ['sdk2', sdk2],
      ] as const) {
        const version = { 'mcp-protocol-version': '2025-11-25' };
        const sent = server === 'sdk1' ? { ...headers, ...version } : headers;
        const answer = await (await serve(sent, Buffer.from(text))).text();
        if (answer.includes('SECRET')) fallen.push(server);
      }
      if (servers !== '') assert.equal(fallen.join(' '), servers);
    });
  }

  it('include another spelling of a URI, which shows in its canonical form', async () => {
    const body = Buffer.from(
      JSON.stringify(call('resources/read', { uri: 'TEST://secret/a/../x' })),
    );
    for (const serve of [sdk1, sdk2]) assert.match(await (await serve({}, body)).text(), /SECRET/);
    const { object } = request(body.toString());
    assert.equal(object?.type === 'resource' && object.canonicalUri, 'test://secret/x');
  });
});
