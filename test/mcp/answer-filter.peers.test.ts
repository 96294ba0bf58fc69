/** Filters what real MCP servers answer, from their sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderFields } from '../../src/accept/request-head.ts';
import { createAnswerFilter, type AnswerFilterOptions } from '../../src/mcp/answer-filter.ts';
import type { IsVisible } from '../../src/mcp/list-kind.ts';
import { startEverythingServer } from '../harness/everything-server.ts';
import { startSdk2ListServer, startSlowSdk1Server } from '../peers/list-servers.ts';

interface Answer {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly pieces: readonly Uint8Array[];
}

const legacyHeaders = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
};

async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...legacyHeaders, ...headers },
    body: JSON.stringify(body),
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body ?? []) pieces.push(piece as Uint8Array);
  return { status: response.status, headers: [...response.headers].flat(), pieces };
}

interface Filtered {
  readonly before: Buffer;
  readonly after: Buffer;
}

function filter(
  answer: Answer,
  request: AnswerFilterOptions['request'],
  isVisible: IsVisible,
): Filtered {
  const answerFilter = createAnswerFilter({
    request,
    isVisible,
    ids: null,
    holds: 'results',
    maxBytes: 1 << 20,
  });
  const mode = answerFilter.onHead(answer.status, answer.headers);
  assert.ok(mode === 'json' || mode === 'events');
  const out = answer.pieces.flatMap((piece) => answerFilter.push(piece));
  out.push(...answerFilter.end());
  assert.equal(answerFilter.fault, null);
  return { before: Buffer.concat(answer.pieces), after: Buffer.concat(out) };
}

/** The one response in a JSON answer or an event stream. */
function resultOf(bytes: Buffer): Record<string, { name: string }[]> {
  const text = bytes.toString();
  const json = text.startsWith('{') ? text : (/^data: (\{.*)$/m.exec(text)?.[1] ?? '');
  return (JSON.parse(json) as { result: Record<string, { name: string }[]> }).result;
}

async function openSession(url: string): Promise<Record<string, string>> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 't', version: '1' },
  };
  const answer = await post(url, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  const session = answer.headers[answer.headers.indexOf('mcp-session-id') + 1] ?? '';
  const headers = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
  await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
  return headers;
}

test('server-everything: lists in events with ids lose what is hidden and nothing else', async (t) => {
  const { port } = await startEverythingServer(t);
  const url = `http://127.0.0.1:${port}/mcp`;
  const headers = await openSession(url);
  for (const [method, kind, naming] of [
    ['tools/list', 'tools', 'name'],
    ['prompts/list', 'prompts', 'name'],
    ['resources/list', 'resources', 'uri'],
    ['resources/templates/list', 'resourceTemplates', 'uriTemplate'],
  ] as const) {
    const request = { id: method, method, era: 'legacy' } as const;
    const answer = await post(url, { jsonrpc: '2.0', id: method, method }, headers);
    const open = filter(answer, request, () => true);
    assert.deepEqual(open.after, open.before);
    const items = resultOf(open.before)[kind] as unknown as Record<string, string>[];
    assert.ok(items.length > 1);
    for (const hidden of items) {
      const { after } = filter(
        answer,
        request,
        (asKind, name) => asKind === kind && name !== hidden[naming],
      );
      assert.deepEqual(
        resultOf(after)[kind],
        items.filter((item) => item !== hidden),
      );
      assert.ok(after.length < open.before.length);
      assert.match(after.toString(), /^id: /m);
    }
  }
});

test('SDK 2, modern: lists in JSON become private and lose what is hidden', async (t) => {
  const url = await startSdk2ListServer(t);
  for (const [method, kind] of [
    ['tools/list', 'tools'],
    ['prompts/list', 'prompts'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
  ] as const) {
    const version = '2026-07-28';
    const meta = {
      'io.modelcontextprotocol/protocolVersion': version,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const answer = await post(
      url,
      { jsonrpc: '2.0', id: 3, method, params: { _meta: meta } },
      { 'mcp-protocol-version': version, 'mcp-method': method },
    );
    const isVisible: IsVisible = (_kind, name) => !name.includes('secret');
    const { before, after } = filter(answer, { id: 3, method, era: 'modern' }, isVisible);
    const had = resultOf(before);
    const has = resultOf(after);
    assert.equal(had.cacheScope, 'public');
    const kept = had[kind]?.filter((item) => !JSON.stringify(item).includes('secret'));
    assert.ok(kept !== undefined && kept.length > 0 && kept.length < (had[kind]?.length ?? 0));
    assert.deepEqual(has, { ...had, [kind]: kept, cacheScope: 'private' });
    assert.ok(!after.includes('secret'));
  }
});

test('SDK 2, legacy: an answer in events, untouched where all is visible', async (t) => {
  const url = await startSdk2ListServer(t);
  const method = 'tools/list';
  const answer = await post(url, { jsonrpc: '2.0', id: 1, method });
  const request = { id: 1, method, era: 'legacy' } as const;
  const { before, after } = filter(answer, request, () => true);
  assert.deepEqual(after, before);
  const names = resultOf(filter(answer, request, (_kind, name) => name !== 'secret').after).tools;
  assert.deepEqual(
    names?.map(({ name }) => name),
    ['echo', 'sum'],
  );
});

for (const isJson of [false, true]) {
  test(`SDK 1 sends a list on the stream of a later call with the same id (${isJson ? 'JSON' : 'events'}); it is filtered there`, async (t) => {
    const slow = await startSlowSdk1Server(t, isJson);
    const headers = await openSession(slow.url);
    const message = { jsonrpc: '2.0', id: 5 };
    post(slow.url, { ...message, method: 'tools/list' }, headers).catch(() => undefined);
    await slow.listAsked;
    const call = post(
      slow.url,
      { ...message, method: 'tools/call', params: { name: 'echo' } },
      headers,
    );
    await slow.callAsked;
    slow.answerList();
    const request = { id: 5, method: 'tools/call', era: 'legacy' } as const;
    const { before, after } = filter(await call, request, (_kind, name) => name === 'echo');
    assert.deepEqual(
      resultOf(before).tools?.map(({ name }) => name),
      ['echo', 'secret', 'sum'],
    );
    assert.deepEqual(
      resultOf(after).tools?.map(({ name }) => name),
      ['echo'],
    );
  });
}
