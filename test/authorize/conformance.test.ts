import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyUnpack, DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { Any } from '@bufbuild/protobuf/wkt';
import type { Type } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import { Type_PrimitiveType, Type_WellKnownType } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import type { SimpleTest } from '@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js';
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import type { IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { EvaluationError, Optional } from '@marcbachmann/cel-js';
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { createEnvironment } from '../../src/authorize/environment.ts';
import { inspect } from '../../src/authorize/inspect.ts';

/** Files that test the language itself; the others test extensions or protobuf messages. */
const coreFiles = new Set([
  'basic',
  'comparisons',
  'conversions',
  'fields',
  'fp_math',
  'integer_math',
  'lists',
  'logic',
  'macros',
  'namespace',
  'parse',
  'plumbing',
  'string',
  'timestamps',
]);

/** What passes today. Raise it when more passes; never lower it without a reason in the change log. */
const floor = 970;

class ProtobufNeeded extends Error {}

function typeName(type: Type | undefined): string {
  const kind = type?.typeKind;
  if (kind?.case === 'messageType') throw new ProtobufNeeded();
  if (kind?.case === 'primitive') {
    return Type_PrimitiveType[kind.value].toLowerCase().replace('int64', 'int');
  }
  if (kind?.case === 'wellKnown') {
    if (kind.value === Type_WellKnownType.TIMESTAMP) return 'google.protobuf.Timestamp';
    if (kind.value === Type_WellKnownType.DURATION) return 'google.protobuf.Duration';
  }
  if (kind?.case === 'listType') return `list<${typeName(kind.value.elemType)}>`;
  if (kind?.case === 'mapType') {
    return `map<${typeName(kind.value.keyType)}, ${typeName(kind.value.valueType)}>`;
  }
  return 'dyn';
}

function fromAny(any: Any): unknown {
  const timestamp = anyUnpack(any, TimestampSchema);
  if (timestamp) return new Date(Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6);
  const duration = anyUnpack(any, DurationSchema);
  if (duration) return new Duration(duration.seconds, duration.nanos);
  throw new ProtobufNeeded();
}

function toNative(value: Value): unknown {
  const { kind } = value;
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'uint64Value':
      return new UnsignedInt(kind.value);
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    case 'listValue':
      return kind.value.values.map(toNative);
    case 'mapValue':
      return new Map(
        kind.value.entries.map((entry) => [toNative(entry.key!), toNative(entry.value!)]),
      );
    case 'objectValue':
      return fromAny(kind.value);
    case 'typeValue':
      return { type: kind.value };
    case 'enumValue':
    case undefined:
      throw new ProtobufNeeded();
  }
}

/** One text for each CEL value, so that two representations can be compared. */
function canonical(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return `int ${value.toString()}`;
  if (typeof value === 'number') return `double ${value.toString()}`;
  if (typeof value === 'string') return `string ${JSON.stringify(value)}`;
  if (typeof value === 'boolean') return `bool ${String(value)}`;
  return typeof value === 'object' ? canonicalObject(value) : 'unknown';
}

function canonicalObject(value: object): string {
  if (value instanceof UnsignedInt) return `uint ${value.toString()}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `timestamp ${value.getTime()}`;
  if (value instanceof Duration) return `duration ${value.seconds.toString()} ${value.nanos}`;
  if (value instanceof Optional) return 'optional';
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if ('type' in value && typeof value.type === 'string') return `type ${value.type}`;
  const type = /^\[object Type<(.*)>\]$/.exec(Object.prototype.toString.call(value));
  if (type) return `type ${(type[1] ?? '').replace(/^null$/, 'null_type')}`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const keyText = (key: unknown): string => canonical(key).replaceAll(/^\w+ "?|"$/g, '');
  return `{${entries
    .map(([key, member]) => `${keyText(key)}: ${canonical(member)}`)
    .sort()
    .join()}}`;
}

type Outcome = 'passed' | 'failed' | 'not applicable';

function run(original: SimpleTest): Outcome {
  const { expr, container, typeEnv, bindings, resultMatcher } = original;
  const text = expr + JSON.stringify(container);
  if (/TestAllTypes|TestRequired|google\.protobuf\.(?!Timestamp|Duration)\w/.test(text)) {
    return 'not applicable';
  }
  const context: Record<string, unknown> = {};
  const variables = new Map<string, string>();
  let expected: string | null;
  try {
    for (const { name, declKind } of typeEnv) {
      if (declKind.case === 'ident') variables.set(name, typeName(declKind.value.type));
    }
    for (const [name, { kind }] of Object.entries(bindings)) {
      if (kind.case !== 'value') return 'not applicable';
      context[name] = toNative(kind.value);
      if (!variables.has(name)) variables.set(name, 'dyn');
    }
    if (resultMatcher.case === 'value') expected = canonical(toNative(resultMatcher.value));
    else if (resultMatcher.case === undefined) expected = 'bool true';
    else if (resultMatcher.case === 'evalError') expected = null;
    else if (resultMatcher.case === 'typedResult' && resultMatcher.value.result) {
      expected = canonical(toNative(resultMatcher.value.result));
    } else return 'not applicable';
  } catch (error) {
    if (error instanceof ProtobufNeeded) return 'not applicable';
    throw error;
  }

  try {
    const parsed = createEnvironment(variables).parse(expr);
    const { faults } = inspect(parsed.ast);
    if (faults.length > 0) return expected === null ? 'passed' : 'failed';
    const checked = parsed.check();
    if (!checked.valid) {
      // An unknown name fails for a reason that has nothing to do with the error that is expected.
      const code = checked.error?.code ?? '';
      const vacuous = code === 'unknown_variable' || code === 'no_matching_overload';
      return expected === null && !vacuous ? 'passed' : 'failed';
    }
    const result: unknown = parsed(context);
    return canonical(result) === expected ? 'passed' : 'failed';
  } catch (error) {
    const evaluated = error instanceof EvaluationError || !('code' in Object(error));
    return expected === null && evaluated ? 'passed' : 'failed';
  }
}

test('the core of the CEL conformance suite passes as far as it ever did', (context) => {
  const totals = new Map<Outcome, number>();
  const failed: string[] = [];
  const visit = (suite: IncrementalTestSuite, path: string): void => {
    for (const { name, original } of suite.tests) {
      const outcome = run(original);
      totals.set(outcome, (totals.get(outcome) ?? 0) + 1);
      if (outcome === 'failed') failed.push(`${path}/${name}: ${original.expr}`);
    }
    for (const inner of suite.suites) visit(inner, `${path}/${inner.name}`);
  };
  for (const file of getConformanceSuite().suites) {
    if (coreFiles.has(file.name)) visit(file, file.name);
  }
  const passed = totals.get('passed') ?? 0;
  context.diagnostic(`passed ${passed}, failed ${failed.length}`);
  if (process.env.SHOW_CEL_FAILURES !== undefined) context.diagnostic(failed.join('\n'));
  assert.ok(passed >= floor, `${passed} of ${passed + failed.length} pass, less than ${floor}`);
});
