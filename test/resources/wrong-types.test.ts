/**
 * Every field of every kind, from the schemas themselves, with every kind of JSON value and some odd ones in
 * its place: what is not of the field's type is an error at that field, and nothing else happens.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { kinds } from '../../src/resources/kinds/catalogue.ts';
import type { JsonSchema } from '../../src/resources/kinds/schema.ts';
import { loadResources } from '../../src/resources/load.ts';
import { formatPath, formatProblem, type FieldPath } from '../../src/resources/problem.ts';

const MARK = 'hush-hush';
/** One of each JSON type, and a number that is not whole: for every field. */
const types: readonly unknown[] = [null, true, 1, 1.5, MARK, [], [[MARK]], {}, { a: MARK }];
/** For every schema that some field has. */
const odd: readonly unknown[] = [
  ...[false, 0, -1, 2 ** 53, -(2 ** 60), 1e300],
  ...[
    '',
    ' ',
    '0',
    'true',
    'null',
    '~',
    '\u0000',
    '\u202e',
    '\ud800',
    '\ufeff',
    'é'.normalize('NFD'),
  ],
  ...['../../etc/passwd', '${', '${}', '${A', '${A}${A}', '__proto__', 'a'.repeat(20_000)],
  ...[[null], [{}], Array<number>(300).fill(1)],
  ...[{ '': null }, { constructor: 1 }, { toString: null }, { a: { b: {} } }],
];

interface Field {
  readonly path: FieldPath;
  readonly schema: JsonSchema;
  /** Some ancestor has no effect or is refused: what is in it is not looked into. */
  readonly isDead: boolean;
}

function fieldsOf(schema: JsonSchema, path: FieldPath, isDead = false): readonly Field[] {
  const dead = isDead || schema.support !== undefined;
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
      fieldsOf(field, [...path, name], dead),
    ),
    ...(schema.items === undefined ? [] : fieldsOf(schema.items, [...path, 0], dead)),
    ...(schema.additionalProperties === undefined
      ? []
      : fieldsOf(schema.additionalProperties, [...path, 'free'], dead)),
  ];
  return [{ path, schema, isDead: dead }, ...below];
}

function put(path: FieldPath, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  return typeof step === 'number' ? [put(rest, value)] : { [step]: put(rest, value) };
}

function isOfType({ type, enum: words }: JsonSchema, value: unknown): boolean {
  if (words !== undefined && !words.some((word) => word === value)) return false;
  if (type === 'object')
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'array') return Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

let tried = 0;
const known = new Set<JsonSchema>();
for (const { kind, group, versions, layout, schema } of Object.values(kinds)) {
  const base: FieldPath = layout === 'body' ? [] : ['spec'];
  const fields = fieldsOf(schema, []).filter(({ path }) => base.length + path.length > 0);
  test(`${kind}: ${fields.length} fields, each with a value of every type`, () => {
    for (const field of fields) {
      for (const value of types) tryField(field, value);
      if (known.has(field.schema)) continue;
      known.add(field.schema);
      for (const value of odd) tryField(field, value);
    }
  });

  function tryField({ path, schema: fieldSchema, isDead }: Field, value: unknown): void {
    tried += 1;
    const version = versions[0] ?? '';
    const head = { apiVersion: group === '' ? version : `${group}/${version}`, kind };
    const body = put([...base, ...path], value) as Record<string, unknown>;
    // One member a line, so that the line of an error says something.
    const text = JSON.stringify({ ...head, metadata: { name: 'a' }, ...body }, null, 1);
    const startedAt = performance.now();
    const loaded = loadResources([{ file: 'f.yaml', text }], { environment: { A: 'b' } });
    assert.ok(performance.now() - startedAt < 10_000, 'takes too long');
    const where = formatPath([...base, ...path]);
    const what = `${where} = ${JSON.stringify(value).slice(0, 60)}`;
    for (const problem of loaded.problems) {
      const line = formatProblem(problem);
      assert.match(line, /^f\.yaml:\d+:\d+: [^\n]{1,600}$/, what);
      assert.ok(fieldSchema.sensitive !== true || !line.includes(MARK), `${what} is told: ${line}`);
    }
    const errors = loaded.problems.filter(({ severity }) => severity === 'error');
    assert.equal(loaded.resources.all.length === 0, errors.length > 0, what);
    if (isDead || fieldSchema.type === undefined || isOfType(fieldSchema, value)) return;
    const own = errors.find((error) => error.path === where);
    assert.ok(own !== undefined, `${what} is accepted: ${errors.map(formatProblem).join('\n')}`);
    const node = parseDocument(text).getIn([...base, ...path], true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : null;
    const offset = Array.isArray(range) ? Number(range[0]) : 0;
    assert.equal(own.line, text.slice(0, offset).split('\n').length, what);
  }
}

test('that were all fields, and many', () => assert.ok(tried > 10_000, `${tried}`));
