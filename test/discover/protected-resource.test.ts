import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createProtectedResource,
  type ProtectedResourceParts,
} from '../../src/discover/protected-resource.ts';
import type { ProtectedResourcePlan } from '../../src/plan.ts';
import { answerDiscovery } from '../../src/discover/answer-discovery.ts';
import { answeredOfSix, exchangeOf, headOf, listenerOf } from '../route/plans.ts';

function resourceOf(
  plan: Partial<ProtectedResourcePlan> = {},
  parts: Partial<ProtectedResourceParts> = {},
) {
  const full: ProtectedResourcePlan = {
    resource: null,
    authorizationServers: ['https://idp.test'],
    scopesSupported: [],
    metadata: {},
    authorizationServer: {
      issuer: 'https://idp.test',
      target: { name: 'x', host: 'x', port: 1, path: null, protocol: 'HTTP', tls: null },
      audience: null,
    },
    ...plan,
  };
  return createProtectedResource(full, {
    firstPath: '/mcp',
    requiredScopes: [],
    authorizationServer: {
      metadata: () => ({ outcome: 'absent' }),
      close: () => undefined,
    },
    ...parts,
  });
}

describe('the URL of an endpoint', () => {
  const rows: readonly [
    scheme: 'http' | 'https',
    host: string,
    authority: string,
    path: string,
    prefix: number,
    url: string,
  ][] = [
    ['http', 'gw.test', 'gw.test', '/mcp', 4, 'http://gw.test/mcp'],
    ['https', 'gw.test', 'GW.test:443', '/mcp', 4, 'https://gw.test/mcp'],
    ['http', 'gw.test', 'gw.test:80', '/mcp/', 4, 'http://gw.test/mcp'],
    ['http', 'gw.test', 'gw.test:443', '/mcp', 0, 'http://gw.test:443/mcp'],
    ['https', 'gw.test', 'gw.test:08443', '/mcp/sub', 4, 'https://gw.test:8443/mcp'],
    ['http', 'gw.test', 'gw.test.:', '/mcp/', 0, 'http://gw.test/mcp'],
    ['http', '[::1]', '[::1]', '/', 0, 'http://[::1]'],
    ['http', '[::1]', '[::1]:8080', '/a', 0, 'http://[::1]:8080/a'],
  ];
  for (const [scheme, host, authority, path, prefix, url] of rows) {
    test(`${scheme} ${authority} ${path} is ${url}`, () => {
      const head = { ...headOf({ host, scheme }), authority };
      assert.equal(resourceOf().url(head, path, prefix), url);
    });
  }
});

describe('the metadata URL', () => {
  for (const [identifier, url] of [
    ['http://gw.test', 'http://gw.test/.well-known/oauth-protected-resource'],
    ['http://gw.test/', 'http://gw.test/.well-known/oauth-protected-resource'],
    ['http://gw.test:1/a/b', 'http://gw.test:1/.well-known/oauth-protected-resource/a/b'],
    ['https://gw.test/a?b=c', 'https://gw.test/.well-known/oauth-protected-resource/a?b=c'],
    ['http://gw.test/"x', 'http://gw.test/.well-known/oauth-protected-resource/%22x'],
  ] as const) {
    test(`of ${identifier} is ${url}`, () =>
      assert.equal(resourceOf().metadataUrl(identifier), url));
  }
});

describe('the document', () => {
  test('holds what the plan says, and no member twice', () => {
    const resource = resourceOf({ scopesSupported: ['a', 'b'], metadata: { resource_name: 'n' } });
    assert.deepEqual(JSON.parse(resource.document('http://gw.test/mcp')), {
      resource: 'http://gw.test/mcp',
      authorization_servers: ['https://idp.test'],
      scopes_supported: ['a', 'b'],
      bearer_methods_supported: ['header'],
      resource_name: 'n',
    });
  });

  test('names the policy\u2019s resource, else the URL', () => {
    const head = headOf({ host: 'gw.test' });
    assert.equal(resourceOf({ resource: 'urn:x' }).identifier(head, '/mcp', 4), 'urn:x');
    assert.equal(resourceOf().identifier(head, '/mcp', 4), 'http://gw.test/mcp');
  });

  test('challenges name the required scopes, else those on offer', () => {
    assert.equal(resourceOf().challengeScope, '');
    assert.equal(resourceOf({ scopesSupported: ['a', 'b'] }).challengeScope, 'a b');
    const required = resourceOf({ scopesSupported: ['a'] }, { requiredScopes: ['c', 'd'] });
    assert.equal(required.challengeScope, 'c d');
  });
});

test('metadata is told to a few in a turn, since anybody may ask', async () => {
  const protectedRoutes = {
    find: () => ({ resource: resourceOf(), identifier: 'https://gw.test/mcp' }),
    covers: () => true,
  };
  const request = () => {
    const made = exchangeOf(headOf({ path: '/.well-known/oauth-protected-resource/mcp' }));
    made.exchange.listener = { ...listenerOf(null), protectedRoutes };
    return made;
  };
  assert.deepEqual(await answeredOfSix(answerDiscovery, request), [4, 6]);
});
