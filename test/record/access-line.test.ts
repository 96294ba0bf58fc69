import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  accessLine,
  createLineMemory,
  maxLineBytes,
  timestamp,
} from '../../src/record/access-line.ts';
import type { AccessRecord } from '../../src/record/access-line.ts';
import { encodeString, encodeValue } from '../../src/record/encode-value.ts';

function record(changes: Partial<AccessRecord> = {}): AccessRecord {
  return {
    endedAtMs: Date.UTC(2026, 10, 22, 21, 50) + 123.456,
    gateway: 'default/agentgateway',
    listener: 'http',
    route: 'default/mcp',
    remoteAddress: '127.0.0.1',
    remotePort: 59068,
    method: 'POST',
    host: 'localhost',
    path: '/mcp',
    status: 403,
    subject: null,
    error: 'authentication failure: no bearer token found',
    durationMs: 0.4,
    reason: null,
    policy: null,
    rule: null,
    detail: null,
    backend: null,
    target: null,
    mcpTarget: null,
    mcpMethod: null,
    toolName: null,
    sessionHash: null,
    ...changes,
  };
}

const guide =
  'request gateway=default/agentgateway listener=http route=default/mcp src.addr=127.0.0.1:59068' +
  ' http.method=POST http.host=localhost http.path=/mcp http.version=HTTP/1.1 http.status=403' +
  ' error=authentication failure: no bearer token found duration=0ms';

/** Reads a text line back: the names of its fields and their values, quotes taken off. */
function fields(line: string): [name: string, value: string][] {
  const [, , rest = ''] = line.trimEnd().split('\t');
  const pattern = / ([a-z._]+)=("(?:[^"\\]|\\.)*"|[^"=\\]*)(?= [a-z._]+=|$)/g;
  const found = [...rest.slice('request'.length).matchAll(pattern)];
  assert.equal(found.map(([text]) => text).join(''), rest.slice('request'.length));
  return found.map(([, name = '', value = '']) => [
    name,
    value.startsWith('"') ? (JSON.parse(value) as string) : value,
  ]);
}

test('a line reads exactly as in the guide', () => {
  assert.equal(accessLine(record(), 'text'), `2026-11-22T21:50:00.123456Z\tinfo\t${guide}\n`);
});

test('further fields stand behind the guide, the subject before the error', () => {
  const line = accessLine(
    record({
      subject: 'bob',
      error: 'authorization failed',
      durationMs: 12.9,
      reason: 'Authorization',
      policy: 'gloo-system/jwt',
      rule: 'jwt.sub == "alice"',
      detail: 'no Allow rule matched',
      backend: 'default/mcp-backend',
      mcpTarget: 'mcp',
    }),
    'text',
  );
  assert.ok(
    line.endsWith(
      ' http.status=403 jwt.sub=bob error=authorization failed duration=12ms reason=Authorization' +
        ' policy=gloo-system/jwt rule="jwt.sub == \\"alice\\"" detail=no Allow rule matched' +
        ' backend=default/mcp-backend mcp.target=mcp\n',
    ),
    line,
  );
});

test('whatever is known of a refusal is told', () => {
  for (const name of ['reason', 'policy', 'rule', 'detail'] as const) {
    const line = accessLine(record({ [name]: 'a' }), 'text');
    assert.ok(line.endsWith(` duration=0ms ${name}=a\n`), line);
  }
});

test('what is unknown is left out', () => {
  const line = accessLine(
    record({ gateway: null, listener: null, route: null, error: null, remotePort: null }),
    'text',
  );
  assert.equal(
    line.split('\t')[2],
    'request src.addr=127.0.0.1 http.method=POST http.host=localhost http.path=/mcp' +
      ' http.version=HTTP/1.1 http.status=403 duration=0ms\n',
  );
});

test('an IPv6 address stands in brackets when a port follows', () => {
  const address = (changes: Partial<AccessRecord>): string | undefined =>
    new Map(fields(accessLine(record(changes), 'text'))).get('src.addr');
  assert.equal(address({ remoteAddress: '::1', remotePort: 1 }), '[::1]:1');
  assert.equal(address({ remoteAddress: '::1', remotePort: null }), '::1');
});

test('values that could be taken for something else are quoted', () => {
  const rows: [value: string, origin: 'ours' | 'foreign', text: string][] = [
    ['/mcp', 'foreign', '/mcp'],
    ['a b', 'foreign', '"a b"'],
    ['a b', 'ours', 'a b'],
    ['a=b', 'ours', '"a=b"'],
    ['a=b', 'foreign', '"a=b"'],
    ['a"b', 'ours', '"a\\"b"'],
    ['a\\b', 'foreign', '"a\\\\b"'],
    ['a\r\nb', 'ours', '"a\\u000d\\u000ab"'],
    ['\u001b[31m', 'foreign', '"\\u001b[31m"'],
    ['é\u2028\ud800😀', 'foreign', '"\\u00e9\\u2028\\ud800\\ud83d\\ude00"'],
    ['\u007f', 'foreign', '"\\u007f"'],
    ['', 'foreign', '""'],
  ];
  for (const [value, origin, text] of rows) assert.equal(encodeValue(value, origin, 512), text);
});

test('a long value is cut, and says so', () => {
  assert.equal(encodeValue('a'.repeat(12), 'foreign', 12), 'aaaaaaaaaaaa');
  assert.equal(encodeValue('a'.repeat(13), 'foreign', 12), '"aaaaaaa..."');
  assert.equal(encodeString('\n'.repeat(9), 20), '"\\u000a\\u000a..."');
});

test('the microseconds of a time never come from the next second', () => {
  assert.equal(timestamp(999.9999), '1970-01-01T00:00:00.999999Z');
  assert.equal(timestamp(1000), '1970-01-01T00:00:01.000000Z');
  assert.equal(timestamp(0), '1970-01-01T00:00:00.000000Z');
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 2000 }),
  fc.string({ maxLength: 50 }),
  fc.constantFrom(
    'x duration=0ms\n2026-11-22T21:50:00.123456Z\tinfo\trequest gateway=a',
    'x" error="none',
    'x\\',
    '\\" rule=',
    'a=b',
    '\u2028\u2029\u0085\r\n',
    '"',
  ),
);
const hostileRecord = fc.record({
  method: hostile,
  host: hostile,
  path: hostile,
  subject: hostile,
  error: hostile,
  detail: hostile,
  rule: hostile,
  remoteAddress: hostile,
  target: hostile,
  mcpTarget: hostile,
  mcpMethod: hostile,
  toolName: hostile,
});

test('no client can forge a line or a field', () => {
  const members = { reason: 'JwtAuth', policy: 'a/b', backend: 'c/d' };
  const names = fields(
    accessLine(
      record({
        ...members,
        subject: 'a',
        detail: 'a',
        rule: 'a',
        target: 'a',
        mcpTarget: 'a',
        mcpMethod: 'a',
        toolName: 'a',
      }),
      'text',
    ),
  ).map(([name]) => name);
  fc.assert(
    fc.property(hostileRecord, (changes) => {
      const line = accessLine(record({ ...members, ...changes }), 'text');
      assert.match(line, /^[ -~]*\tinfo\t[ -~]*\n$/);
      assert.ok(line.length <= maxLineBytes, `${line.length}`);
      const found = fields(line);
      assert.deepEqual(
        found.map(([name]) => name),
        names,
      );
      if (changes.path.length < 50) {
        assert.equal(new Map(found).get('http.path'), changes.path);
      }
    }),
    { numRuns: 2000 },
  );
});

test('what is remembered of other lines changes nothing of a line', () => {
  const few = (...values: string[]) => fc.constantFrom(...values, 'a b', 'a\nb', 'x'.repeat(600));
  const optional = (...values: string[]) => fc.option(few(...values), { nil: null });
  const any = fc.record({
    ...{ gateway: optional('g', 'h'), listener: optional('g', 'h'), route: optional('g', 'h') },
    ...{ method: few('GET', 'POST'), host: few('a', 'b'), path: few('/a', '/b', 'a') },
    ...{ backend: optional('c', 'd'), target: optional('c', 'd'), mcpTarget: optional('c', 'd') },
    remoteAddress: fc.oneof(few('127.0.0.1', '::1', '1', ''), hostile),
    remotePort: fc.constantFrom(1, 10, 65_535, null),
    endedAtMs: fc.double({ min: 0, max: 4e12, noNaN: true }),
    subject: optional('alice', 'bob'),
  });
  fc.assert(
    fc.property(fc.array(any, { minLength: 2, maxLength: 20 }), (changes) => {
      const memory = createLineMemory();
      for (const [index, one] of changes.entries()) {
        // The address of an empty text is remembered of nobody.
        accessLine(record({ remoteAddress: `other-${index}` }), 'text');
        const alone = accessLine(record(one), 'text');
        accessLine(record(changes[index - 1]), 'text', memory);
        assert.equal(accessLine(record(one), 'text', memory), alone);
        assert.equal(accessLine(record(one), 'text', memory), alone);
      }
    }),
    { numRuns: 500 },
  );
});

test('a time reads as the clock says, whatever the one before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000_000_000 }), (microseconds) => {
      const [ms, rest] = [Math.floor(microseconds / 1000), microseconds % 1000];
      // A half more, so that it is not rounded down to the one before.
      const text = timestamp(ms + (rest + 0.5) / 1000);
      assert.equal(text.slice(0, 23), new Date(ms).toISOString().slice(0, 23));
      assert.equal(text.slice(23), `${String(rest).padStart(3, '0')}Z`);
    }),
  );
});

test('the JSON form is one line that parses to the same fields', () => {
  fc.assert(
    fc.property(hostileRecord, (changes) => {
      const line = accessLine(record(changes), 'json');
      assert.match(line, /^[ -~]*\n$/);
      assert.ok(line.length <= maxLineBytes, `${line.length}`);
      const parsed = JSON.parse(line) as Record<string, unknown>;
      assert.equal(parsed.level, 'info');
      assert.equal(parsed.scope, 'request');
      assert.equal(parsed['http.status'], 403);
      assert.equal(parsed.duration, '0ms');
      if (changes.host.length < 40) assert.equal(parsed['http.host'], changes.host);
    }),
    { numRuns: 1000 },
  );
});

test('the longest possible line fits into what a pipe takes whole', () => {
  const long = '\u0000'.repeat(5000);
  const everything: AccessRecord = {
    endedAtMs: 4e12,
    gateway: long,
    listener: long,
    route: long,
    remoteAddress: long,
    remotePort: 65_535,
    method: long,
    host: long,
    path: long,
    status: 503,
    subject: long,
    error: long,
    durationMs: Number.MAX_SAFE_INTEGER,
    reason: long,
    policy: long,
    rule: long,
    detail: long,
    backend: long,
    target: long,
    mcpTarget: long,
    mcpMethod: long,
    toolName: long,
    sessionHash: long,
  };
  for (const format of ['text', 'json'] as const) {
    const line = accessLine(everything, format);
    assert.ok(line.length <= maxLineBytes, `${format}: ${line.length}`);
  }
});
