/**
 * CustomResourceDefinitions (apiextensions.k8s.io/v1) of the custom kinds, from the same schemas that check
 * files. Kinds of Gateway API and of Kubernetes itself have definitions of their own.
 */

import { kinds, type Kind } from './kinds/catalogue.ts';
import type { JsonSchema } from './kinds/schema.ts';

/** A part of a structural OpenAPI v3 schema. */
export interface StructuralSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
}

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
    }[];
  };
}

const foreignGroups = new Set(['', 'gateway.networking.k8s.io']);

/** Gives one definition for each custom kind, in the order of the catalogue. */
export function customResourceDefinitions(): readonly CustomResourceDefinition[] {
  return Object.values(kinds)
    .filter(({ group }) => !foreignGroups.has(group))
    .map(({ kind, group, versions, schema }) => {
      const plural = pluralOf(kind);
      return {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
          versions: versions.map((name, index) => ({
            name,
            served: true,
            storage: index === 0,
            subresources: { status: {} },
            schema: { openAPIV3Schema: documentSchema(schema) },
          })),
        },
      };
    });
}

function pluralOf(kind: Kind): string {
  const lower = kind.toLowerCase();
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

function documentSchema(spec: JsonSchema): StructuralSchema {
  return {
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: toStructural(spec),
      status: anyValue,
    },
  };
}

const anyValue: StructuralSchema = { 'x-kubernetes-preserve-unknown-fields': true };

/** Keywords that mean the same in JSON Schema and in a structural schema. */
const common = [
  ...(['type', 'required', 'enum', 'minimum', 'maximum', 'minLength', 'maxLength'] as const),
  ...(['pattern', 'minItems', 'maxItems', 'minProperties', 'maxProperties'] as const),
  'x-kubernetes-int-or-string' as const,
];

/**
 * Takes a schema of kinds/ and gives what Kubernetes accepts in its place: own keywords become CEL rules and
 * list types, fields that Postern does not look into keep whatever they hold.
 */
export function toStructural(schema: JsonSchema): StructuralSchema {
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  if ((schema.type === undefined && !intOrString) || schema.support !== undefined) return anyValue;
  const structural: Record<string, unknown> = {};
  for (const keyword of common) {
    if (schema[keyword] !== undefined) structural[keyword] = schema[keyword];
  }
  const { properties, items, additionalProperties, uniqueBy } = schema;
  if (properties !== undefined) {
    structural.properties = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, toStructural(field)]),
    );
  }
  if (items !== undefined) structural.items = toStructural(items);
  if (additionalProperties !== undefined) {
    structural.additionalProperties = toStructural(additionalProperties);
  }
  if (schema.open === true) structural['x-kubernetes-preserve-unknown-fields'] = true;
  if (uniqueBy !== undefined) {
    structural['x-kubernetes-list-type'] = 'map';
    structural['x-kubernetes-list-map-keys'] = [uniqueBy];
  }
  const rules = celRules(schema);
  if (rules.length > 0) structural['x-kubernetes-validations'] = rules;
  return structural;
}

interface CelRule {
  readonly rule: string;
  readonly message: string;
}

function celRules(schema: JsonSchema): readonly CelRule[] {
  const rules: CelRule[] = [];
  const { exactlyOneOf, atLeastOneOf, atMostOneOf = [], unionBy } = schema;
  if (exactlyOneOf !== undefined) {
    rules.push({
      rule: `${countPresent(exactlyOneOf)} == 1`,
      message: `needs exactly one of ${exactlyOneOf.join(', ')}`,
    });
  }
  if (atLeastOneOf !== undefined) {
    rules.push({
      rule: `${countPresent(atLeastOneOf)} >= 1`,
      message: `needs at least one of ${atLeastOneOf.join(', ')}`,
    });
  }
  for (const names of atMostOneOf) {
    rules.push({
      rule: `${countPresent(names)} <= 1`,
      message: `may have only one of ${names.join(', ')}`,
    });
  }
  if (unionBy !== undefined) {
    for (const [word, block] of Object.entries(unionBy.blocks)) {
      if (block === null) continue;
      const discriminator = celName(unionBy.discriminator);
      rules.push({
        rule: `(self.${discriminator} == '${word}') == has(self.${celName(block)})`,
        message: `${block} must be present exactly when ${unionBy.discriminator} is ${word}`,
      });
    }
  }
  if (schema.wildcardAlone === true) {
    rules.push({
      rule: "self.size() <= 1 || !('*' in self)",
      message: '"*" must be the only item',
    });
  }
  return rules;
}

function countPresent(names: readonly string[]): string {
  const tests = names.map((name) => `has(self.${celName(name)})`);
  return `[${tests.join(', ')}].filter(present, present).size()`;
}

/** Words that CEL reserves are escaped in field selections, as Kubernetes asks for it. */
function celName(name: string): string {
  return name === 'namespace' ? '__namespace__' : name;
}
