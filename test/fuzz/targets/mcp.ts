import assert from 'node:assert/strict';
import { isJsonObject, readJson } from '../../../src/json/read-json.ts';
import { createAnswerFilter } from '../../../src/mcp/answer-filter.ts';
import { checkHeaders } from '../../../src/mcp/check-headers.ts';
import { createEventSplitter } from '../../../src/mcp/event-stream.ts';
import { decodeNameHeader } from '../../../src/mcp/name-header.ts';
import { messageLimits } from '../../../src/mcp/message-limits.ts';
import { readMessage } from '../../../src/mcp/read-message.ts';
import { createSealer } from '../../../src/mcp/seal.ts';
import { parseSessionKeys } from '../../../src/mcp/session-keys.ts';
import { octetsOf, type FuzzTarget } from '../target.ts';

const call =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":1.50}}}';
const modern =
  '{"jsonrpc":"2.0","id":"a","method":"resources/read","params":{"uri":"test://a","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}';
const jsonWords = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0061', '\\ud800', '1e400', '-0', '0.1', 'null'],
  ...['"name"', '"method"', '"params"', '"id"', '"jsonrpc":"2.0"', '"__proto__"', '\ufeff', '\xff'],
];

const json: FuzzTarget = {
  name: 'json',
  seeds: [call, '[1,{"a":[]}]', '{"a":1,"a":2}', '"\\ud83d\\ude00"'],
  dictionary: jsonWords,
  check(input) {
    const octets = octetsOf(input);
    const reading = readJson(octets, messageLimits);
    if (reading.problem !== null) return;
    const text = octets.toString('utf8');
    assert.deepEqual(reading.value, JSON.parse(text));
    assert.deepEqual(reading.value, lastAndFirstAgree(text));
  },
};

/** Reads with a reviver that would see a member twice: the counts of members must be those of the value. */
function lastAndFirstAgree(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => value);
}

const message: FuzzTarget = {
  name: 'mcp-message',
  seeds: [
    ...[call, modern, '{"jsonrpc":"2.0","method":"notifications/initialized"}'],
    '{"jsonrpc":"2.0","id":1,"result":{}}',
  ],
  dictionary: [...jsonWords, '"tools/call"', '"tools/list"', '"arguments":{}', '"uri"', '"_meta"'],
  check(input) {
    const octets = octetsOf(input);
    const read = readMessage(octets);
    if (read.kind === 'fault') return;
    checkHeaders(read, ['mcp-method', 'tools/call', 'mcp-name', '=?base64?ZWNobw==?=']);
    const parsed: unknown = JSON.parse(octets.toString('utf8'));
    assert.ok(isJsonObject(parsed));
    if (read.kind === 'response') {
      assert.equal(parsed.method, undefined);
      return;
    }
    assert.equal(parsed.method, read.method);
    assert.deepEqual(parsed.params ?? {}, read.params);
    if (read.kind === 'request') {
      assert.equal(parsed.id, read.id);
      if (read.object?.type === 'tool') assert.equal(read.params.name, read.object.name);
      if (read.object?.type === 'resource') assert.equal(read.params.uri, read.object.uri);
    }
  },
};

const stream = 'id: 1\ndata: {"a":1}\n\n: c\r\n\r\nevent: x\rdata: 1\rdata: 2\r\rretry: 5\n\n';
const events: FuzzTarget = {
  name: 'event-stream',
  seeds: [stream, '\ufeffdata: x\n\n', 'data\n\ndata:\n\n'],
  dictionary: [
    '\n',
    '\r',
    '\r\n',
    'data: ',
    'id: ',
    'event: ',
    ':',
    'retry: ',
    '\xef\xbb\xbf',
    '\0',
  ],
  check(input) {
    const octets = octetsOf(input);
    for (const step of [1, 3, octets.length + 1]) {
      const splitter = createEventSplitter({ maxEventBytes: 100_000 });
      const out: Buffer[] = [];
      for (let at = 0; at < octets.length; at += step) {
        // The splitter lends memory: what is kept must be copied.
        for (const { raw } of splitter.push(Buffer.from(octets.subarray(at, at + step)))) {
          out.push(Buffer.from(raw));
        }
      }
      const rest = splitter.end();
      if (rest !== null) out.push(Buffer.from(rest.raw));
      assert.deepEqual(Buffer.concat(out), octets);
    }
  },
};

const tools = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo"},{"name":"secret"}]}}';
const listAnswer: FuzzTarget = {
  name: 'list-answer',
  seeds: [
    tools,
    '{"result":{"tools":[{"name":"secret","x":[{"name":"echo"}]}],"nextCursor":"a"},"id":1}',
  ],
  dictionary: [...jsonWords, '"tools"', '"secret"', '"echo"', '"result"', '"\\u0073ecret"'],
  check(input) {
    const filter = createAnswerFilter({
      request: { id: 1, method: 'tools/list', era: 'legacy' },
      isVisible: (_kind, name) => name !== 'secret',
      ids: null,
      holds: 'all',
      maxBytes: 1_000_000,
    });
    assert.equal(filter.onHead(200, ['content-type', 'application/json']), 'json');
    filter.push(octetsOf(input));
    const out = Buffer.concat(filter.end());
    if (filter.fault !== null) return;
    const read: unknown = JSON.parse(out.toString('utf8'));
    if (!isJsonObject(read) || !isJsonObject(read.result)) return;
    const { tools: left } = read.result;
    if (!Array.isArray(left)) return;
    assert.ok(!left.some((tool) => isJsonObject(tool) && tool.name === 'secret'));
  },
};

const nameHeader: FuzzTarget = {
  name: 'name-header',
  seeds: ['echo', '=?base64?ZWNobw==?=', '=?base64??='],
  dictionary: ['=?base64?', '?=', '=', 'ZWNobw', '\xe4', ' '],
  check(input) {
    const decoded = decodeNameHeader(input);
    assert.ok(decoded === null || !/\p{Surrogate}/u.test(decoded));
  },
};

const sealer = createSealer({
  keys: [Buffer.alloc(32, 7)],
  clock: () => 1_800_000_000_000,
  lifetimeMs: 3_600_000,
});
const binding = {
  owner: { kind: 'subject', issuer: 'https://a', subject: 'alice' },
  backend: 'default/mcp',
} as const;
const sealed = sealer.seal('session', binding, 'upstream-id') ?? '';
const lasting = sealer.sealLasting('task', binding, 'upstream-id') ?? '';
const sealedId: FuzzTarget = {
  name: 'sealed-id',
  seeds: [sealed, lasting],
  dictionary: ['A', '-', '_', '=', '+', '.', '\0'],
  check(input) {
    const opened = sealer.open('session', binding, input);
    if (opened !== null) assert.equal(input, sealed);
    if (sealer.openLasting('task', binding, input) !== null) assert.equal(input, lasting);
    assert.equal(sealer.open('event', binding, input), null);
  },
};

const sessionKeys: FuzzTarget = {
  name: 'session-keys',
  seeds: ['00'.repeat(31) + '01', 'A'.repeat(42) + 'E='],
  dictionary: [',', ' ', '0', 'f', 'A', '='],
  check(input) {
    const parsed = parseSessionKeys(input);
    if (parsed.ok) assert.ok(parsed.keys.every((key) => key.length === 32));
    else if (input.trim().length > 8) assert.ok(!parsed.problem.includes(input.trim()));
  },
};

export const mcpTargets: readonly FuzzTarget[] = [
  ...[json, message, events, listAnswer, nameHeader, sealedId, sessionKeys],
];
