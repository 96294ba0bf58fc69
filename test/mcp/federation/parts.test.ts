/** The small parts of a federation, each by itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { splitName, namePrefix } from '../../../src/mcp/federation/names.ts';
import { cutMembers } from '../../../src/mcp/federation/eras/cut-members.ts';
import { matchesTemplate } from '../../../src/mcp/federation/match-template.ts';
import { mergeInitialize } from '../../../src/mcp/federation/merge-initialize.ts';
import { mergedLists, readListPage } from '../../../src/mcp/federation/merge-lists.ts';
import { createIdSealer } from '../../../src/mcp/federation/sealed-ids.ts';
import { openCursor, sealCursor } from '../../../src/mcp/federation/cursor.ts';
import {
  boundClientParams,
  readSession,
  writeSession,
} from '../../../src/mcp/federation/session-text.ts';
import { createSealer } from '../../../src/mcp/seal.ts';
import { alice, bob } from './fake-targets.ts';

const RUNS = { interruptAfterTimeLimit: 1500, markInterruptAsFailure: false };
const sealer = createSealer({ keys: [Buffer.alloc(32, 1)], clock: () => 0, lifetimeMs: 1e9 });

describe('names', () => {
  test('a name with its target in front is split where it was joined', () => {
    const target = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/);
    fc.assert(
      fc.property(target, fc.string({ minLength: 1 }), (name, own) => {
        for (const kind of ['tool', 'prompt', 'resource'] as const) {
          const split = splitName(kind, namePrefix(kind, name) + own);
          assert.deepEqual(split, { target: name, name: own });
        }
      }),
      RUNS,
    );
  });
});

describe('ids that cross', () => {
  const ids = createIdSealer(sealer, 'default/b');
  const id = { target: 'a', raw: '"x y"' };
  const sealed = ids.seal(alice, 'request', id) ?? assert.fail();
  test('are the same each time, and open to what was sealed', () => {
    assert.equal(ids.seal(alice, 'request', id), sealed);
    assert.deepEqual(ids.open(alice, 'request', sealed), id);
  });
  const strangers = [
    ['another owner', () => ids.open(bob, 'request', sealed)],
    ['another purpose', () => ids.open(alice, 'server-token', sealed)],
    ['another backend', () => createIdSealer(sealer, 'default/c').open(alice, 'request', sealed)],
    ['a changed id', () => ids.open(alice, 'request', `${sealed.slice(0, -2)}AA`)],
  ] as const;
  for (const [name, open] of strangers) {
    test(`do not open for ${name}`, () => assert.equal(open(), null));
  }
});

test('a cursor opens for its owner and its list alone', () => {
  const binding = { owner: alice, backend: 'default/b' };
  const position = { target: 'a', cursor: 'c' };
  const sealed = sealCursor(sealer, binding, 'tools/list', position) ?? assert.fail();
  assert.deepEqual(openCursor(sealer, binding, 'tools/list', sealed), position);
  assert.equal(openCursor(sealer, binding, 'prompts/list', sealed), null);
  assert.equal(openCursor(sealer, { ...binding, owner: bob }, 'tools/list', sealed), null);
  assert.equal(
    sealCursor(sealer, binding, 'tools/list', { ...position, cursor: 'c'.repeat(5000) }),
    null,
  );
});

describe('the text of a session', () => {
  test('is read as it was written', () => {
    const session = {
      key: 'k',
      targets: new Map([['a', { id: 's', version: 'v', offers: 'tp', generation: 1 }]]),
      client: { protocolVersion: 'v', capabilities: { roots: {} }, clientInfo: { name: 'n' } },
    };
    for (const logLevel of [null, { level: 'error', generation: 2 }]) {
      const one = { ...session, logLevel };
      assert.deepEqual(readSession(writeSession(one) ?? ''), one);
    }
  });
  test('is never longer than a sealed id can be', () => {
    const target = { id: 'x'.repeat(1000), version: 'v', offers: '', generation: 0 };
    const targets = new Map(['a', 'b', 'c', 'd', 'e'].map((name) => [name, target]));
    const client = boundClientParams({});
    assert.equal(writeSession({ key: 'k', targets, client, logLevel: null }), null);
  });
  test('what a client says of itself is kept within bounds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (params) => {
        const text = JSON.stringify(boundClientParams(params));
        assert.ok(text.length < 2500, text);
      }),
      RUNS,
    );
    const huge = {
      capabilities: { roots: {}, x: 'y'.repeat(5000) },
      clientInfo: { name: 'n'.repeat(999) },
    };
    assert.ok(JSON.stringify(boundClientParams(huge)).length < 500);
    assert.deepEqual(boundClientParams(huge).capabilities, { roots: {} });
  });
  test('anything else is no session', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) =>
        assert.equal(readSession(text), null),
      ),
      RUNS,
    );
  });
});

test('a list page: any item comes out with nothing but the prefix put in, and keeps its octets', () => {
  const list = mergedLists.get('tools/list') ?? assert.fail();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.jsonValue())), (pairs) => {
      const items = pairs.map(([name, other]) => JSON.stringify({ x: other, name, y: 1 }));
      const page = readListPage(Buffer.from(`{"tools":[${items.join(' , ')}]}`), list, 't', true);
      const expected = pairs.map(([name, other]) =>
        JSON.stringify({ x: other, name: `t_${name}`, y: 1 }),
      );
      const got = page?.items.map(({ text }) => text.toString());
      // Names with half of a surrogate pair are no names.
      assert.deepEqual(
        got,
        expected.filter((_, index) => !/\p{Surrogate}/u.test(pairs[index]?.[0] ?? '')),
      );
    }),
    RUNS,
  );
});

describe('members are cut out of an object', () => {
  const rows = [
    ['{"r":{"a":1,"b":2,"c":3}}', '{"r":{"b":2}}'],
    ['{"r":{"a":1,"c":3}}', '{"r":{}}'],
    ['{"r":{ "c" : {"x":[1]} , "b":1.0 }}', '{"r":{  "b":1.0 }}'],
    ['{"r":{"b":1 , "a":2}}', '{"r":{"b":1 }}'],
    ['{"a":1,"r":5}', '{"a":1,"r":5}'],
    ['{"r":{"b":{"a":1}}}', '{"r":{"b":{"a":1}}}'],
  ] as const;
  for (const [text, expected] of rows) {
    test(text, () =>
      assert.equal(cutMembers(Buffer.from(text), ['r'], ['a', 'c']).toString(), expected),
    );
  }
});

describe('URI templates', () => {
  const rows = [
    ['demo://x/{id}', 'demo://x/1', true],
    ['demo://x/{id}', 'demo://y/1', false],
    ['demo://x/{id}/z', 'demo://x/1/z', true],
    ['demo://x/{id}/z', 'demo://x/1/zz', false],
    ['{a}b{c}b', 'xb', false],
    ['{a}b{c}b', 'bb', true],
    ['demo://x', 'demo://x', true],
    ['demo://x', 'demo://xy', false],
    ['aa{x}aa', 'aaa', false],
  ] as const;
  for (const [template, uri, matches] of rows) {
    test(`${template} and ${uri}`, () => assert.equal(matchesTemplate(template, uri), matches));
  }
});

test('several introductions make one: lowest version, whatever any offers, instructions by name', () => {
  const merged = mergeInitialize(
    [
      {
        target: 'a',
        version: '2025-11-25',
        capabilities: { tools: { listChanged: false }, x: 1 },
        instructions: 'A.',
      },
      {
        target: 'b',
        version: '2025-03-26',
        capabilities: { tools: { listChanged: true }, logging: {}, x: 2 },
        instructions: null,
      },
      { target: 'c', version: '2025-06-18', capabilities: {}, instructions: 'C.' },
    ],
    { backend: 'default/b', version: '1' },
  );
  assert.deepEqual(merged, {
    protocolVersion: '2025-03-26',
    capabilities: { tools: { listChanged: true }, logging: {}, x: 1 },
    serverInfo: { name: 'postern/default/b', version: '1' },
    instructions: '[a]\nA.\n\n[c]\nC.',
  });
});
