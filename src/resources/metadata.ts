/** apiVersion, kind and metadata: what a document says about itself. */

import { dnsLabel, objectName } from './kinds/common.ts';
import { kinds, kindsWithoutEffect, refusedKinds, type Kind } from './kinds/catalogue.ts';
import type { Finding } from './kinds/finding.ts';
import { anything, mapOf, object, string, type Typed } from './kinds/schema.ts';
import { nearest } from './nearest.ts';

const labels = mapOf(string({ maxLength: 63 }), { maxProperties: 256 });

const fields = {
  namespace: dnsLabel,
  labels,
  annotations: mapOf(string({ sensitive: true }), { maxProperties: 256 }),
  creationTimestamp: anything(),
  generateName: anything(),
  uid: anything(),
  resourceVersion: anything(),
  generation: anything(),
  deletionTimestamp: anything(),
  deletionGracePeriodSeconds: anything(),
  ownerReferences: anything(),
  finalizers: anything(),
  managedFields: anything(),
  selfLink: anything(),
};

/** ObjectMeta of most kinds: the name is an RFC 1123 subdomain. */
export const metadataSchema = object({ name: objectName }, fields);
/** ObjectMeta of Service and Namespace: the name is an RFC 1123 label. */
export const labelNamedMetadataSchema: typeof metadataSchema = object({ name: dnsLabel }, fields);
export type Metadata = Typed<typeof metadataSchema>;

/** RFC 3339 in UTC, as the Kubernetes API writes it; such texts sort by time. */
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** metadata.creationTimestamp, empty where it is absent or null; `undefined` where it is no such time. */
export function readCreationTimestamp(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' && timestamp.test(value) ? value : undefined;
}

export type Recognised =
  | { readonly is: 'kind'; readonly kind: Kind; readonly version: string }
  | { readonly is: 'withoutEffect'; readonly kind: string }
  | { readonly is: 'wrong'; readonly findings: readonly Finding[] };

/** Takes the values of a document's apiVersion and kind, and says which kind it is, or what is wrong. */
export function recogniseKind(apiVersion: unknown, kind: unknown): Recognised {
  const findings: Finding[] = [];
  if (typeof kind !== 'string' || kind === '') {
    findings.push({ path: ['kind'], message: missing(kind, 'Gateway') });
  }
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    findings.push({ path: ['apiVersion'], message: missing(apiVersion, 'v1') });
  }
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || findings.length > 0) {
    return { is: 'wrong', findings };
  }
  if (!isKind(kind)) {
    if (kindsWithoutEffect.has(kind)) return { is: 'withoutEffect', kind };
    const refused = refusedKinds.get(kind);
    if (refused !== undefined) {
      const message = `${kind} is not supported by this version: ${refused}`;
      return { is: 'wrong', findings: [{ path: ['kind'], message }] };
    }
    return { is: 'wrong', findings: [{ path: ['kind'], message: unknownKind(kind) }] };
  }
  const definition = kinds[kind];
  const accepted = definition.versions.map((version) => apiVersionOf(definition.group, version));
  const index = accepted.indexOf(apiVersion);
  const version = definition.versions[index];
  if (version !== undefined) return { is: 'kind', kind, version };
  const or = accepted.join(' or ');
  const message = `must be ${or} for kind ${kind}; is ${JSON.stringify(apiVersion.slice(0, 100))}`;
  return { is: 'wrong', findings: [{ path: ['apiVersion'], message }] };
}

/** `group/version`, or the version alone in the core group. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(kinds, kind);
}

function missing(value: unknown, example: string): string {
  return value === undefined ? 'is required' : `must be a string such as ${example}`;
}

function unknownKind(kind: string): string {
  const known = Object.keys(kinds);
  const shown = JSON.stringify(kind.slice(0, 100));
  const near = nearest(kind, known);
  const hint = near === null ? '' : `; did you mean ${near}?`;
  return `${shown} is not a kind that is read here${hint}; known kinds: ${known.join(', ')}`;
}
