/** Checks a value against a schema of kinds/ and says everything that is wrong. The home of `ajv`. */

import { Ajv, type ErrorObject, type SchemaValidateFunction, type ValidateFunction } from 'ajv';
import type { Finding } from '../kinds/finding.ts';
import type { JsonSchema, Schema } from '../kinds/schema.ts';
import type { FieldPath } from '../problem.ts';
import { ownKeywords, testKeyword, type OwnKeyword } from './keywords.ts';
import { schemaMessage } from './messages.ts';

/** Words that only other readers of a schema look at. */
const vocabulary = ['says', 'sensitive', 'support', 'why', 'harmless', 'open'];

const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, ownProperties: true });
for (const word of vocabulary) ajv.addKeyword({ keyword: word });

/** Registers an own keyword; each fault that it finds becomes one ajv error. */
function addKeyword(keyword: OwnKeyword, type: 'object' | 'array'): void {
  const validate: SchemaValidateFunction = (_rule: unknown, value: unknown, parent?: object) => {
    const faults = testKeyword(keyword, { ...parent }, value);
    validate.errors = faults.map(({ path, message }) => ({
      keyword: 'own',
      message,
      params: { path },
    }));
    return faults.length === 0;
  };
  ajv.addKeyword({ keyword, type, validate, errors: true });
}

for (const keyword of ownKeywords.object) addKeyword(keyword, 'object');
for (const keyword of ownKeywords.array) addKeyword(keyword, 'array');
ajv.addKeyword({
  keyword: 'x-kubernetes-int-or-string',
  validate: (_rule: unknown, value: unknown) =>
    typeof value === 'string' || Number.isInteger(value),
});

const compiled = new WeakMap<JsonSchema, ValidateFunction>();

function compile(schema: JsonSchema): ValidateFunction {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  return validate;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/**
 * Checks a value against a schema.
 *
 * @param path where the value stands in its document; it is the start of each finding's path
 * @param isHidden whether the value at a path must not be shown in a message
 */
export function checkSchema<T>(
  value: unknown,
  schema: Schema<T>,
  path: FieldPath,
  isHidden: (path: FieldPath) => boolean,
): Checked<T> {
  const validate = compile(schema);
  if (accepts(validate, schema, value)) return { ok: true, value };
  return { ok: false, findings: toFindings(validate.errors ?? [], value, path, isHidden) };
}

/** The one place where a schema's compile-time type is taken for what its validation accepts. */
function accepts<T>(validate: ValidateFunction, _: Schema<T>, value: unknown): value is T {
  return validate(value);
}

function toFindings(
  errors: readonly ErrorObject[],
  root: unknown,
  base: FieldPath,
  isHidden: (path: FieldPath) => boolean,
): readonly Finding[] {
  const findings = new Map<string, Finding>();
  const ofWrongType = new Set(
    errors.filter(({ keyword }) => keyword === 'type').map(({ instancePath }) => instancePath),
  );
  for (const error of errors) {
    if (error.keyword !== 'type' && ofWrongType.has(error.instancePath)) continue;
    const finding = toFinding(error, root, base, isHidden);
    const key = JSON.stringify([finding.path, finding.message]);
    if (!findings.has(key)) findings.set(key, finding);
  }
  return [...findings.values()];
}

function toFinding(
  error: ErrorObject,
  root: unknown,
  base: FieldPath,
  isHidden: (path: FieldPath) => boolean,
): Finding {
  const path = [...base, ...readPointer(error.instancePath, root)];
  const params: unknown = error.params;
  if (error.keyword === 'own' && isOwn(params)) {
    return { path: [...path, ...params.path], message: error.message ?? '' };
  }
  if (error.keyword === 'required' && isRequired(params)) {
    return { path: [...path, params.missingProperty], message: 'is required' };
  }
  const schema: JsonSchema = { ...(error.parentSchema as object | undefined) };
  const hidden = schema.sensitive === true || isHidden(path);
  const { keyword, data } = error;
  return { path, message: schemaMessage({ keyword, schema, data }, hidden) };
}

function isOwn(params: unknown): params is { readonly path: FieldPath } {
  return typeof params === 'object' && params !== null && 'path' in params;
}

function isRequired(params: unknown): params is { readonly missingProperty: string } {
  return typeof params === 'object' && params !== null && 'missingProperty' in params;
}

/** JSON Pointer (RFC 6901) to a path; steps into lists become numbers. */
function readPointer(pointer: string, root: unknown): FieldPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const escaped of pointer.split('/').slice(1)) {
    const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(step) : step);
    value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  }
  return path;
}
