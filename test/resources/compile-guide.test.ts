import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Plan } from '../../src/plan.ts';
import { compileText } from './fixtures/compile-text.ts';
import { guideModulus } from './fixtures/guide-key.ts';
import {
  documents,
  guideBackend,
  guideGateway,
  guideJwtPolicy,
  guideResources,
  guideRoute,
} from './fixtures/guide-resources.ts';

const environment = { GH_PAT: 'github-token' };

const expected: Plan = {
  generation: 1,
  ports: [
    {
      address: null,
      port: 8080,
      protocol: 'HTTP',
      listeners: [
        {
          gateway: 'gloo-system/agentgateway',
          name: 'http',
          hostname: null,
          tls: null,
          rules: [
            {
              route: 'gloo-system/mcp-github',
              name: null,
              index: 0,
              createdAt: '',
              hostnames: [],
              matches: [
                {
                  path: { type: 'PathPrefix', value: '/mcp-github' },
                  method: null,
                  headers: [],
                  queryParams: [],
                },
              ],
              filters: [
                {
                  type: 'RequestHeaderModifier',
                  set: [{ name: 'authorization', value: 'Bearer github-token', sensitive: true }],
                  add: [],
                  remove: [],
                },
              ],
              cors: {
                allowOrigins: ['http://localhost:8080'],
                allowMethods: ['*'],
                allowHeaders: ['*'],
                exposeHeaders: [],
                allowCredentials: false,
                maxAgeSeconds: 5,
              },
              timeouts: { requestMs: null, backendRequestMs: null },
              backends: [{ backend: 0, invalid: null, weight: 1, filters: [] }],
              authentications: [0],
              authorizations: [0],
              localRateLimit: null,
              globalRateLimit: null,
            },
          ],
        },
      ],
    },
  ],
  authentications: [
    {
      policy: 'gloo-system/jwt',
      policyKind: 'GlooTrafficPolicy',
      mode: 'RequireValid',
      failureStatus: 403,
      providers: [
        {
          name: 'selfminted',
          issuer: 'solo.io',
          audiences: null,
          clockSkewSeconds: 60,
          keepToken: false,
          tokenSources: {
            headers: [{ header: 'authorization', prefix: 'Bearer ' }],
            queryParams: ['access_token'],
          },
          claimsToHeaders: [],
          keys: {
            source: 'local',
            jwks: [
              {
                kty: 'RSA',
                kid: 'solo-public-key-001',
                use: 'sig',
                alg: 'RS256',
                n: Buffer.from(guideModulus, 'base64url').subarray(1).toString('base64url'),
                e: 'AQAB',
              },
            ],
            kidOptional: false,
          },
        },
      ],
    },
  ],
  authorizations: [
    {
      policy: 'gloo-system/jwt',
      policyKind: 'GlooTrafficPolicy',
      action: 'Allow',
      onDeny: null,
      expressions: ['jwt.sub == "alice"'],
    },
  ],
  localRateLimits: [],
  globalRateLimits: [],
  backends: [
    {
      name: 'gloo-system/github-mcp-backend',
      kind: 'Backend',
      type: 'MCP',
      targets: [
        {
          name: 'mcp-target',
          host: 'api.githubcopilot.com',
          port: 443,
          path: '/mcp/',
          protocol: 'StreamableHTTP',
          tls: {
            policy: 'BackendTLSPolicy/gloo-system/github-mcp-backend-tls',
            serverName: 'api.githubcopilot.com',
            caCertificatesPem: null,
            subjectAltNames: [],
            invalid: null,
          },
        },
      ],
      federation: null,
      mcpAuthorizations: [],
      localRateLimit: null,
      globalRateLimit: null,
    },
  ],
};

test("the guide's final state compiles, without a warning, to exactly this plan", () => {
  const { plan, lines } = compileText(guideResources, environment);
  assert.deepEqual(lines, []);
  assert.deepEqual(plan, expected);
});

test('the plan survives JSON', () => {
  const { plan } = compileText(guideResources, environment);
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), expected);
});

test("the guide's first step has no authorization", () => {
  const text = documents(guideGateway, guideBackend, guideRoute, guideJwtPolicy);
  const { plan, lines } = compileText(text, environment);
  assert.deepEqual(lines, []);
  assert.deepEqual(plan?.authorizations, []);
  assert.deepEqual(plan.ports[0]?.listeners[0]?.rules[0]?.authorizations, []);
});

test('without the JWT policy nothing is authenticated', () => {
  const { plan } = compileText(documents(guideGateway, guideBackend, guideRoute), environment);
  assert.deepEqual(plan?.ports[0]?.listeners[0]?.rules[0]?.authentications, []);
});
