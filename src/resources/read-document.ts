/** One document's plain data to a typed resource, or to everything that is wrong with it. */

import { substituteEnvironment, type Environment } from './environment.ts';
import { kinds, type Kind } from './kinds/catalogue.ts';
import type { Finding } from './kinds/finding.ts';
import type { JsonSchema } from './kinds/schema.ts';
import { findUnknownFields, unknownField, type FieldFinding } from './known-fields.ts';
import {
  apiVersionOf,
  labelNamedMetadataSchema,
  metadataSchema,
  readCreationTimestamp,
  recogniseKind,
  type Metadata,
} from './metadata.ts';
import { formatPath, type FieldPath, type Position, type Problem } from './problem.ts';
import { resourceLabel, type AnyResource, type Resource } from './resource.ts';
import { checkSchema } from './schema-check/validator.ts';

/** Where a value stands in its text; paths start at the value. */
export interface DocumentPlace {
  /** `document N`. */
  readonly label: string;
  /** From the document's root to the value: empty, or `items[N]` of a List. */
  readonly prefix: FieldPath;
  position(path: FieldPath): Position;
  keyPosition(path: FieldPath): Position;
}

export interface ReadDocument {
  /** `Kind/namespace/name` as far as the document says it properly, else `null`. */
  readonly label: string | null;
  /** `null` where the document has an error. */
  readonly resource: AnyResource | null;
  readonly problems: readonly Problem[];
}

export interface ReadOptions {
  readonly environment: Environment;
  readonly strict?: boolean;
}

interface Marked extends Finding {
  readonly severity: Problem['severity'];
  /** Points at the field's name instead of its value. */
  readonly atKey?: boolean;
}

interface Mapping {
  readonly [field: string]: unknown;
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: unknown;
  readonly spec?: unknown;
}

interface ReadKind<K extends Kind> {
  readonly label: string | null;
  readonly resource: Resource<K> | null;
  readonly problems: readonly Problem[];
}

/**
 * Takes a document's data (an item of a List likewise), replaces `${NAME}`, and checks it against its
 * kind's schema. Gives every problem, not only the first.
 */
export function readDocumentValue(
  document: unknown,
  place: DocumentPlace,
  options: ReadOptions,
): ReadDocument {
  if (!isMapping(document)) {
    const message = 'must be a mapping with apiVersion, kind and metadata';
    return fail(place, [{ path: [], message, severity: 'error' }]);
  }
  const recognised = recogniseKind(document.apiVersion, document.kind);
  if (recognised.is === 'withoutEffect') {
    const message = `${recognised.kind} is not implemented in this version and has no effect`;
    return fail(place, [{ path: ['kind'], message, severity: 'warning' }]);
  }
  if (recognised.is === 'wrong') return fail(place, asErrors(recognised.findings));
  const { label, resource, problems } = readKind(
    recognised.kind,
    recognised.version,
    document,
    place,
    options,
  );
  return {
    label,
    resource: resource !== null && isAnyResource(resource) ? resource : null,
    problems,
  };
}

function readKind<K extends Kind>(
  kind: K,
  version: string,
  document: Mapping,
  place: DocumentPlace,
  options: ReadOptions,
): ReadKind<K> {
  const definition = kinds[kind];
  const { value, substituted, findings } = substituteEnvironment(document, options.environment);
  const found: Marked[] = [...asErrors(findings)];
  const doubtful = new Set(findings.map(({ path }) => formatPath(path)));
  const hidden = new Set(substituted.map(formatPath));
  const isHidden = (path: FieldPath): boolean => hidden.has(formatPath(path));
  const data = isMapping(value) ? value : {};

  const metadata = readMetadata(kind, data.metadata, isHidden, found);
  const { body, base, missing } = splitBody(definition.layout, data);
  found.push(...unknownAtRoot(definition.layout, data, definition.schema, options));
  if (missing) found.push({ path: base, message: 'is required', severity: 'error' });
  const fieldFindings = findUnknownFields(body, definition.schema, base);
  found.push(...fieldFindings.map((finding) => markField(finding, options)));
  const checked = missing ? null : checkSchema(body, definition.schema, base, isHidden);
  if (checked?.ok === false) {
    // A value whose variable is not set is wrong for that reason alone.
    const sound = checked.findings.filter(({ path }) => !doubtful.has(formatPath(path)));
    found.push(...asErrors(sound));
  } else if (checked?.ok === true) {
    const more = definition.check?.(checked.value) ?? [];
    found.push(
      ...asErrors(more.map((finding) => ({ ...finding, path: [...base, ...finding.path] }))),
    );
  }

  const namespace = definition.scope === 'Cluster' ? '' : (metadata?.namespace ?? 'default');
  if (definition.scope === 'Cluster' && metadata?.namespace !== undefined) {
    const message = `has no effect: ${kind} is cluster-scoped`;
    found.push({ path: ['metadata', 'namespace'], message, severity: 'warning', atKey: true });
  }
  const label = metadata === null ? null : resourceLabel(kind, namespace, metadata.name);
  const problems = toProblems(found, place, label);
  const failed = found.some(({ severity }) => severity === 'error');
  if (failed || metadata === null || checked?.ok !== true)
    return { label, resource: null, problems };

  const resource: Resource<K> = {
    kind,
    group: definition.group,
    version,
    apiVersion: apiVersionOf(definition.group, version),
    namespace,
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    createdAt: readCreationTimestamp(metadata.creationTimestamp) ?? '',
    spec: checked.value,
    origin: {
      position: (path) => place.position(path),
      keyPosition: (path) => place.keyPosition(path),
      substituted,
    },
  };
  return { label, resource, problems };
}

/** A Resource whose kind and spec were chosen by the same type parameter is one of the union. */
function isAnyResource(resource: Resource): resource is AnyResource {
  return Object.hasOwn(kinds, resource.kind);
}

function readMetadata(
  kind: Kind,
  value: unknown,
  isHidden: (path: FieldPath) => boolean,
  found: Marked[],
): Metadata | null {
  const path = ['metadata'];
  if (value === undefined) {
    found.push({ path: ['metadata', 'name'], message: 'is required', severity: 'error' });
    return null;
  }
  const labelNamed = kind === 'Service' || kind === 'Namespace';
  const schema = labelNamed ? labelNamedMetadataSchema : metadataSchema;
  const fields = findUnknownFields(value, schema, path);
  found.push(...fields.map((finding) => markField(finding, {})));
  const checked = checkSchema(value, schema, path, isHidden);
  if (!checked.ok) {
    found.push(...asErrors(checked.findings));
    return null;
  }
  if (readCreationTimestamp(checked.value.creationTimestamp) === undefined) {
    const message = 'must be an RFC 3339 time in UTC such as 2026-01-31T12:00:00Z';
    found.push({ path: ['metadata', 'creationTimestamp'], message, severity: 'error' });
  }
  return checked.value;
}

/** The part that the kind's schema is about, and where it stands. */
function splitBody(
  layout: 'spec' | 'optionalSpec' | 'body',
  document: Mapping,
): { readonly body: unknown; readonly base: FieldPath; readonly missing: boolean } {
  if (layout === 'body') {
    const own = Object.entries(document).filter(([name]) => !rootFields.includes(name));
    return { body: Object.fromEntries(own), base: [], missing: false };
  }
  const body = document.spec;
  const absent = body === undefined;
  if (absent && layout === 'optionalSpec') return { body: {}, base: ['spec'], missing: false };
  return { body, base: ['spec'], missing: absent };
}

const rootFields = ['apiVersion', 'kind', 'metadata', 'status'];

function unknownAtRoot(
  layout: 'spec' | 'optionalSpec' | 'body',
  document: Mapping,
  schema: JsonSchema,
  options: ReadOptions,
): readonly Marked[] {
  // With layout `body` the kind's own schema lists what may stand at the root.
  if (layout === 'body') return [];
  const known = [...rootFields, 'spec'];
  return Object.keys(document)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const inSpec = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
      const message = inSpec
        ? `is not a known field here; did you mean spec.${name}?`
        : unknownField(name, known);
      return markField({ kind: 'unknown', path: [name], message }, options);
    });
}

function markField(finding: FieldFinding, options: { readonly strict?: boolean }): Marked {
  const { kind, path, message } = finding;
  const isError = kind === 'refused' || (kind === 'unknown' && options.strict === true);
  return { path, message, severity: isError ? 'error' : 'warning', atKey: true };
}

function asErrors(findings: readonly Finding[]): readonly Marked[] {
  return findings.map(({ path, message }) => ({ path, message, severity: 'error' }));
}

function fail(place: DocumentPlace, found: readonly Marked[]): ReadDocument {
  return { label: null, resource: null, problems: toProblems(found, place, null) };
}

/** In the order of the text. */
function toProblems(
  found: readonly Marked[],
  place: DocumentPlace,
  label: string | null,
): readonly Problem[] {
  return found
    .map(({ path, message, severity, atKey }) => ({
      ...(atKey === true ? place.keyPosition(path) : place.position(path)),
      severity,
      resource: label ?? place.label,
      path: formatPath(label === null ? [...place.prefix, ...path] : path),
      message,
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
