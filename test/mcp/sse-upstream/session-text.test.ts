import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { maxUpstreamIdBytes } from '../../../src/mcp/seal.ts';
import {
  maxParamsBytes,
  readSession,
  rememberedParams,
  writeSession,
} from '../../../src/mcp/sse-upstream/session-text.ts';

const uid = 'abcdefghijklmnop_-0123';
const params = {
  protocolVersion: '2025-11-25',
  capabilities: { sampling: {}, roots: { listChanged: true } },
  clientInfo: { name: 'a client', version: '1' },
};

test('a session is written as printable ASCII and read again', () => {
  const text = writeSession({ uid, params });
  assert.match(text, /^[!-~]+$/);
  assert.deepEqual(readSession(text), { uid, params });
});

test('whatever a client says of itself, what is remembered fits and is read again', () => {
  const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>;
  const member = fc.oneof(value, fc.string({ unit: 'binary' }), fc.string({ minLength: 4000 }));
  const record = fc.dictionary(fc.string({ unit: 'binary' }), member, { maxKeys: 5 });
  fc.assert(
    fc.property(
      fc.record(
        {
          protocolVersion: member,
          capabilities: fc.oneof(record, member),
          clientInfo: fc.oneof(fc.record({ name: member, version: member, title: member }), member),
        },
        { requiredKeys: [] },
      ),
      (given) => {
        const remembered = rememberedParams(given);
        const text = writeSession({ uid, params: remembered });
        assert.ok(text.length <= maxUpstreamIdBytes);
        // `-0` is written as `0`.
        const same = JSON.parse(JSON.stringify(remembered)) as unknown;
        assert.deepEqual(readSession(text), { uid, params: same });
      },
    ),
    { numRuns: 500 },
  );
});

describe('what is too large is left out, the least needed first', () => {
  const large = 'x'.repeat(maxParamsBytes);
  const rows: readonly [string, object, object][] = [
    ['a title', { clientInfo: { ...params.clientInfo, title: large } }, {}],
    [
      'experimental capabilities',
      { capabilities: { ...params.capabilities, experimental: { large } } },
      {},
    ],
    ['extensions', { capabilities: { ...params.capabilities, extensions: { large } } }, {}],
    ['capabilities', { capabilities: { ...params.capabilities, large } }, { capabilities: {} }],
    [
      'a name',
      { clientInfo: { name: large, version: '1' } },
      { clientInfo: { name: 'x'.repeat(128), version: '1' } },
    ],
    ['a version that is none', { protocolVersion: large }, { protocolVersion: '2024-11-05' }],
    ['no client info', { clientInfo: null }, { clientInfo: { name: '', version: '' } }],
  ];
  for (const [name, given, expected] of rows) {
    test(name, () =>
      assert.deepEqual(rememberedParams({ ...params, ...given }), { ...params, ...expected }),
    );
  }
});

describe('no session', () => {
  const json = JSON.stringify(params).replaceAll(' ', '\\u0020');
  const rows: readonly string[] = [
    '',
    '.',
    uid,
    `${uid}.`,
    `.${json}`,
    `short.${json}`,
    `${'a'.repeat(33)}.${json}`,
    `${uid.replace('a', '!')}.${json}`,
    `${uid}.${json}x`,
    `${uid}.${json} `,
    `${uid}.[${json}]`,
    `${uid}.null`,
    `${uid}.{}`,
    `${uid}.${json.slice(0, -1)},"more":1}`,
    `${uid}.${json.replace('"2025-11-25"', '1')}`,
    `${uid}.${json.replace('"protocolVersion"', '"protocolVersion":"x","protocolVersion"')}`,
    `${uid}.${json.replace('"clientInfo":{', '"clientInfo":[{')}`,
    `${uid}.{"protocolVersion":"1","capabilities":{},"clientInfo":[]}`,
    `${uid}.{"protocolVersion":"1","capabilities":{},"clientInfo":{"__proto__":1}}`,
    `${uid}.{"protocolVersion":"1","capabilities":{},"clientInfo":{"n":"${'x'.repeat(4000)}"}}`,
  ];
  for (const text of rows) test(text.slice(0, 70), () => assert.equal(readSession(text), null));

  test('made of anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        assert.equal(readSession(text), null);
        readSession(`${uid}.${text}`);
      }),
      { numRuns: 1000 },
    );
  });
});
