import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customResourceDefinitions, type StructuralSchema } from '../../src/resources/crds.ts';

const allowed = new Set([
  ...['type', 'properties', 'required', 'items', 'additionalProperties', 'enum', 'pattern'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minProperties', 'maxProperties', 'x-kubernetes-preserve-unknown-fields'],
  ...['x-kubernetes-int-or-string', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
  'x-kubernetes-validations',
]);

/** What the Kubernetes documentation demands of a structural schema, as far as our keywords reach. */
function assertStructural(schema: StructuralSchema, path: string): void {
  for (const keyword of Object.keys(schema)) assert.ok(allowed.has(keyword), `${path}: ${keyword}`);
  const free =
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema['x-kubernetes-int-or-string'] === true;
  assert.ok(schema.type !== undefined || free, `${path} has no type`);
  assert.ok(
    schema.properties === undefined || schema.additionalProperties === undefined,
    `${path} has both properties and additionalProperties`,
  );
  const keys: unknown = schema['x-kubernetes-list-map-keys'];
  if (Array.isArray(keys)) {
    assert.ok(schema.items?.properties !== undefined);
    const required: unknown = schema.items.required;
    assert.ok(Array.isArray(required) && keys.every((key) => required.includes(key)), path);
  }
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    assertStructural(field, `${path}.${name}`);
  }
  if (schema.items !== undefined) assertStructural(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) {
    assertStructural(schema.additionalProperties, `${path}{}`);
  }
}

for (const definition of customResourceDefinitions()) {
  test(`${definition.metadata.name} has a structural schema`, () => {
    for (const { schema } of definition.spec.versions) {
      assertStructural(schema.openAPIV3Schema, '');
    }
  });
}

test('there is a definition for each custom kind', () => {
  assert.deepEqual(
    customResourceDefinitions().map(({ metadata }) => metadata.name),
    [
      'backends.gateway.kgateway.dev',
      'agentgatewaybackends.agentgateway.dev',
      'enterpriseagentgatewaybackends.enterpriseagentgateway.solo.io',
      'glootrafficpolicies.gloo.solo.io',
      'trafficpolicies.gateway.kgateway.dev',
      'agentgatewaypolicies.agentgateway.dev',
      'enterpriseagentgatewaypolicies.enterpriseagentgateway.solo.io',
      'enterprisekgatewaytrafficpolicies.enterprisekgateway.solo.io',
      'gatewayextensions.gateway.kgateway.dev',
    ],
  );
});
