import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { substituteEnvironment } from '../../src/resources/environment.ts';
import { loadResources } from '../../src/resources/load.ts';

const environment = { A: 'one', B: '', C: '${A}', D: 'x"\n- {y: [', __proto__: 'never' };

const rows: readonly (readonly [string, string])[] = [
  ['${A}', 'one'],
  ['x ${A} y ${A}', 'x one y one'],
  ['[${B}]', '[]'],
  ['$${A}', '${A}'],
  ['$$${A}', '$${A}'],
  ['$A', '$A'],
  ['a$', 'a$'],
  ['{A}', '{A}'],
  ['${C}', '${A}'],
  ['${D}', 'x"\n- {y: ['],
];

for (const [text, expected] of rows) {
  test(`${text} becomes ${JSON.stringify(expected)}`, () => {
    const { value, findings } = substituteEnvironment({ spec: { a: text } }, environment);
    assert.deepEqual(findings, []);
    assert.deepEqual(value, { spec: { a: expected } });
  });
}

const bad = [
  '${}',
  '${A',
  '${A.B}',
  '${1A}',
  '${ A}',
  '${NOT_SET}',
  '${toString}',
  '${constructor}',
];
for (const text of bad) {
  test(`${text} is refused and left as it is`, () => {
    const { value, findings } = substituteEnvironment({ a: text }, environment);
    assert.equal(findings.length, 1);
    assert.deepEqual(value, { a: text });
  });
}

test('field names, annotations and status are left as they are, and everything else is marked', () => {
  const document = {
    '${A}': 'x',
    metadata: { name: '${A}', annotations: { a: '${NOT_SET}' } },
    status: { b: '${NOT_SET}' },
    spec: [{ c: ['${A}', 'plain'] }],
  };
  const { value, substituted, findings } = substituteEnvironment(document, environment);
  assert.deepEqual(findings, []);
  assert.deepEqual(value, {
    ...document,
    metadata: { name: 'one', annotations: { a: '${NOT_SET}' } },
    spec: [{ c: ['one', 'plain'] }],
  });
  assert.deepEqual(substituted, [
    ['metadata', 'name'],
    ['spec', 0, 'c', 0],
  ]);
});

test('the text from the environment is bounded', () => {
  const big = { BIG: 'x'.repeat(100_000) };
  const { value, findings } = substituteEnvironment({ a: '${BIG}'.repeat(10_000) }, big);
  assert.match(findings[0]!.message, /too much text from the environment/);
  assert.ok(JSON.stringify(value).length < 5_000_000);
});

test('a variable never changes the structure of a document', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const yaml =
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: ${V}\n  l: "${V}"\n';
      const loaded = loadResources([{ file: 't', text: yaml }], { environment: { V: text } });
      assert.deepEqual(loaded.problems, []);
      assert.deepEqual(loaded.resources.all[0]?.spec, { data: { k: text, l: text } });
    }),
    { numRuns: 200 },
  );
});

test('no message shows a value that came from the environment, or a sensitive one', () => {
  const secret = 'hunter2secret';
  fc.assert(
    fc.property(
      fc.constantFrom(
        'spec: {type: "${S}"}',
        'spec: {type: Static, static: {hosts: [{host: "//${S}", port: "${S}"}]}}',
        'spec: {type: MCP, mcp: {targets: [{name: "${S}_", static: {host: a, port: 1, path: "${S}"}}]}}',
        'spec: "${S}"',
      ),
      (spec) => {
        const text = `apiVersion: gateway.kgateway.dev/v1alpha1\nkind: Backend\nmetadata: {name: a}\n${spec}\n`;
        const loaded = loadResources([{ file: 't', text }], { environment: { S: secret } });
        assert.ok(loaded.problems.length > 0);
        assert.doesNotMatch(JSON.stringify(loaded.problems), /hunter2/);
      },
    ),
    { numRuns: 20 },
  );
});
