import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kinds } from '../../src/resources/kinds/catalogue.ts';
import type { JsonSchema } from '../../src/resources/kinds/schema.ts';
import { loadResources } from '../../src/resources/load.ts';
import { formatProblem } from '../../src/resources/problem.ts';

/** Loads a text and checks what holds for any text. */
function loadAnything(text: string, strict: boolean): void {
  const startedAt = performance.now();
  const loaded = loadResources([{ file: 'f.yaml', text }], { environment: { A: 'a' }, strict });
  assert.ok(performance.now() - startedAt < 20_000, 'takes too long');
  const lineCount = text.split(/\r\n|\n|\r/).length;
  for (const problem of loaded.problems) {
    assert.match(formatProblem(problem), /^f\.yaml:\d+:\d+: [^\n]+$/);
    assert.ok(problem.line >= 1 && problem.line <= lineCount + 1);
    assert.ok(problem.column >= 1);
  }
  const declared = loaded.resources.all.length;
  assert.ok(declared === 0 || text.includes('kind'));
}

const apiVersions = Object.values(kinds).flatMap(({ group, versions }) =>
  versions.map((version) => (group === '' ? version : `${group}/${version}`)),
);

const tokens = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '- ',
    '? ',
    '&a ',
    '*a',
    '|',
    '>',
    '"',
    "'",
    '\n',
    '\n  ',
    '\t',
  ],
  ...['#', '!', '!!str ', '---\n', '...\n', '%YAML 1.1\n', '${A}', '${B}', '<<: ', '\\', '@', '`'],
  ...['kind: Gateway\n', 'apiVersion: v1\n', 'metadata: {name: a}\n', 'spec:\n  ', 'items:\n- '],
  ...[
    '__proto__: ',
    'constructor: ',
    '1e999',
    '.nan',
    '0x1',
    '~',
    'true',
    '\u2028',
    '\ud800',
    '\0',
  ],
);

test('any text is read without an exception, in bounded time', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.array(tokens, { maxLength: 60 }).map((parts) => parts.join('')),
        fc.json({ maxDepth: 5 }),
      ),
      fc.boolean(),
      loadAnything,
    ),
    { numRuns: 1500, interruptAfterTimeLimit: 4000 },
  );
});

/** Values for a schema: mostly right, sometimes anything. */
function valueFor(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const right = rightValueFor(schema, depth);
  return fc.oneof({ weight: 15, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue() });
}

function rightValueFor(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (depth > 7) return fc.constant(null);
  switch (schema.type) {
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 9 });
    case 'boolean':
      return fc.boolean();
    case 'string':
      return fc.constantFrom('a', '/a', 'a.example.com', '5m', 'https://a/b', '${A}', '${B}', '');
    case 'array':
      return fc.array(valueFor(schema.items ?? {}, depth + 1), { maxLength: 3 });
    case 'object': {
      const fields = Object.entries(schema.properties ?? {});
      const record = Object.fromEntries(fields.map(([n, s]) => [n, valueFor(s, depth + 1)]));
      const { additionalProperties } = schema;
      if (additionalProperties !== undefined) {
        const values = valueFor(additionalProperties, depth + 1);
        return fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), values);
      }
      return fc.record(record, { requiredKeys: [...(schema.required ?? [])] });
    }
    case undefined:
    default:
      return fc.jsonValue();
  }
}

test('mutated documents of every kind are read without an exception, in bounded time', () => {
  const documents = Object.values(kinds).map(({ kind, layout, schema }) => {
    const body = valueFor(schema, 0);
    return fc.tuple(fc.constantFrom(...apiVersions), body).map(([apiVersion, value]) => {
      const head = { apiVersion, kind, metadata: { name: 'a' } };
      return JSON.stringify(
        layout === 'body' && typeof value === 'object'
          ? { ...head, ...value }
          : { ...head, spec: value },
      );
    });
  });
  const right = Object.values(kinds).map(({ kind, group, versions, layout, schema }) =>
    valueFor(schema, 0).map((value) => {
      const version = versions[0] ?? '';
      const apiVersion = group === '' ? version : `${group}/${version}`;
      const head = { apiVersion, kind, metadata: { name: 'a' } };
      const isBody = layout === 'body' && typeof value === 'object';
      return JSON.stringify(isBody ? { ...head, ...value } : { ...head, spec: value });
    }),
  );
  fc.assert(fc.property(fc.oneof(...documents, ...right), fc.boolean(), loadAnything), {
    numRuns: 2000,
    interruptAfterTimeLimit: 6000,
  });
});
