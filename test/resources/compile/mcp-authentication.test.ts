import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { AuthenticationPlan } from '../../../src/plan.ts';
import { renderSummary } from '../../../src/resources/summary.ts';
import { testCompileProblems } from '../fixtures/compile-problem-table.ts';
import { compileText, planOf } from '../fixtures/compile-text.ts';
import { guideJwks } from '../fixtures/guide-key.ts';
import {
  backend,
  base,
  gateway,
  glooJwt,
  onBackend,
  onGateway,
  staticBackend,
} from '../fixtures/small-resources.ts';

const jwks =
  'jwks: {backendRef: {group: gateway.kgateway.dev, kind: Backend, name: plain}, jwksPath: /k}';

/** A policy on line 1 with `backend.mcp.authentication` on the Backend. */
const onMcp = (spec: string, target = onBackend, metadata = 'name: p'): string =>
  `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {${metadata}}
spec:
  targetRefs: [${target}]
  backend: {mcp: {authentication: {issuer: https://idp.test/a, ${jwks}${spec}}}}
---${base}---${staticBackend}`;

/** A policy on line 1 with `traffic.jwtAuthentication` on the Gateway. */
const onTraffic = (mcp: string, metadata = 'name: p', issuer = 'https://idp.test'): string =>
  `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {${metadata}}
spec:
  targetRefs: [${onGateway}]
  traffic: {jwtAuthentication: {providers: [{issuer: '${issuer}', jwks: {inline: '${guideJwks}'}}]${mcp}}}
---${base}---${staticBackend}`;

/** What runs on the one rule. */
function authenticationsOf(text: string): readonly AuthenticationPlan[] {
  const plan = planOf(text);
  const [rule] = plan.ports[0]?.listeners[0]?.rules ?? [];
  return (rule?.authentications ?? []).flatMap((index) => plan.authentications[index] ?? []);
}

describe('backend.mcp.authentication', () => {
  const metadata = ', resourceMetadata: {resource: https://gw.test/mcp, scopesSupported: [a, b]}';

  test('is asked on every rule that leads to the backend, keys and metadata from one place', () => {
    const [policy, ...others] = authenticationsOf(onMcp(`${metadata}, mode: Optional`));
    assert.deepEqual(others, []);
    assert.ok(policy !== undefined);
    const { protectedResource, providers, ...rest } = policy;
    assert.deepEqual(rest, {
      policy: 'default/p',
      policyKind: 'AgentgatewayPolicy',
      mode: 'AllowMissing',
      failureStatus: 401,
    });
    assert.deepEqual(providers[0]?.audiences, ['https://gw.test/mcp']);
    const { keys } = providers[0];
    assert.ok(keys.source === 'remote');
    assert.equal(keys.url, 'http://127.0.0.1:3002/k');
    assert.deepEqual(protectedResource, {
      resource: 'https://gw.test/mcp',
      authorizationServers: ['https://idp.test/a'],
      scopesSupported: ['a', 'b'],
      metadata: {},
      authorizationServer: { issuer: 'https://idp.test/a', target: keys.target, audience: null },
    });
  });

  test('comes before what the Gateway says, which is asked too', () => {
    const names = authenticationsOf(`${onMcp(metadata)}---${glooJwt('gate', onGateway)}`);
    assert.deepEqual(
      names.map(({ policy }) => policy),
      ['default/p', 'default/gate'],
    );
  });

  test('inside an AgentgatewayBackend replaces that of policies', () => {
    const inline = `
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: inner}
spec:
  mcp: {targets: [{name: one, static: {host: 127.0.0.1, port: 3001}}]}
  policies: {mcp: {authentication: {issuer: https://inner.test, ${jwks}, audiences: [x]}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec:
  parentRefs: [{name: gw}]
  rules: [{backendRefs: [{group: agentgateway.dev, kind: AgentgatewayBackend, name: inner}]}]
---${gateway}---${staticBackend}`;
    const policy = onMcp(
      ', audiences: [y]',
      '{group: agentgateway.dev, kind: AgentgatewayBackend, name: inner}',
    ).split('---')[0];
    const [only, ...others] = authenticationsOf(`${policy}---${inline}`);
    assert.deepEqual(others, []);
    assert.equal(only?.policyKind, 'AgentgatewayBackend');
    assert.deepEqual(only.providers[0]?.audiences, ['x']);
  });

  test('is said in the summary', () => {
    const { plan, statuses } = compileText(onMcp(metadata, onBackend, scopes('x y')));
    assert.ok(plan);
    const summary = renderSummary(plan, statuses);
    assert.ok(
      summary.includes(
        '    authentication: AgentgatewayPolicy default/p (RequireValid, 401, providers https://idp.test/a, scopes x y)\n' +
          '    OAuth metadata: /.well-known/oauth-protected-resource\n' +
          '      resource https://gw.test/mcp, audience https://gw.test/mcp, authorization server https://idp.test/a, scopes a b\n',
      ),
      summary,
    );
  });
});

const scopes = (text: string): string =>
  `name: p, annotations: {postern.dev/required-scopes: '${text}'}`;

describe('traffic.jwtAuthentication.mcp', () => {
  test('leads to the issuer itself where the keys are inline, with TLS as its URL says', () => {
    const [policy] = authenticationsOf(
      onTraffic(', mcp: {provider: Auth0, resourceMetadata: {resource: https://gw.test/mcp}}'),
    );
    const { authorizationServer } = policy?.protectedResource ?? {};
    assert.equal(authorizationServer?.audience, 'https://gw.test/mcp');
    const { host, port, tls } = authorizationServer.target;
    assert.deepEqual([host, port, tls?.serverName], ['idp.test', 443, 'idp.test']);
    const [plain] = authenticationsOf(
      onTraffic(
        ', mcp: {resourceMetadata: {resource: https://gw.test/mcp}}',
        'name: p',
        'http://[::1]:8443/x',
      ),
    );
    const target = plain?.protectedResource?.authorizationServer.target;
    assert.deepEqual([target?.host, target?.port, target?.tls], ['::1', 8443, null]);
  });

  test('passes members that it does not know, in the spelling of RFC 9728', () => {
    const [policy] = authenticationsOf(
      onTraffic(
        ", mcp: {resourceMetadata: {resource: https://gw.test/mcp, resourceName: N, 'resource_name#de': D, extra: {aB: [1]}}}",
      ),
    );
    assert.deepEqual(policy?.protectedResource?.metadata, {
      resource_name: 'N',
      'resource_name#de': 'D',
      extra: { aB: [1] },
    });
  });
});

describe('required scopes', () => {
  test('are read for every kind that authenticates', () => {
    const gloo = glooJwt('g', onGateway, ", annotations: {postern.dev/required-scopes: 'a  b a'}");
    const [policy] = authenticationsOf(`${base}---${gloo}`);
    assert.deepEqual(policy?.requiredScopes, ['a', 'b']);
  });
});

const at = (column: number, path: string): string =>
  `error t.yaml:6:${column}: AgentgatewayPolicy/default/p: ${path}`;
const route = 'error t.yaml:24:3: HTTPRoute/default/route: spec.hostnames';
const audience =
  'AgentgatewayPolicy default/p names neither audiences nor resourceMetadata.resource, so a token must be made ' +
  'out to the URL that the client uses; give the route exact hostnames, or the policy one of the two';

const section = 'spec.backend.mcp.authentication';
const whole = `has no effect on`;

testCompileProblems([
  {
    name: 'an audience that any Host header would choose',
    text: onMcp(''),
    lines: [`${route}: ${audience}`],
  },
  {
    name: 'an audience that any Host header under a wildcard would choose',
    text: onMcp('').replace(
      'parentRefs: [{name: gw}]',
      "parentRefs: [{name: gw}]\n  hostnames: ['*.test']",
    ),
    lines: [`${route.replace('24:3', '25:14')}: ${audience}`],
  },
  {
    name: 'nothing where the hostname is exact',
    text: onMcp('').replace(
      'parentRefs: [{name: gw}]',
      'parentRefs: [{name: gw}]\n  hostnames: [gw.test]',
    ),
    lines: [],
  },
  {
    name: 'MCP authentication on a Gateway',
    text: onMcp(', audiences: [x]', onGateway),
    lines: [at(35, `${section}: ${whole} Gateway gw; target the backend instead`)],
  },
  {
    name: 'MCP authentication on one target of a backend',
    text: onMcp(', audiences: [x]', onBackend.replace('}', ', sectionName: one}')),
    lines: [
      at(35, `${section}: ${whole} Backend mcp; target a backend of type MCP as a whole instead`),
    ],
  },
  {
    name: 'MCP authentication on a Static backend',
    text: onMcp(', audiences: [x]', onBackend.replace('name: mcp', 'name: plain')),
    lines: [
      at(35, `${section}: ${whole} Backend plain; target a backend of type MCP as a whole instead`),
    ],
  },
  {
    name: 'members of the metadata that are wrong, or secret',
    text: onMcp(
      ', audiences: [x], resourceMetadata: {resource: "gw.test#a", scopesSupported: ["a b"], authorizationServers: [x], bearerMethodsSupported: x, clientSecret: s}',
    ),
    lines: [
      at(
        191,
        `${section}.resourceMetadata: client_secret looks like a secret, and the document is public`,
      ),
      at(
        202,
        `${section}.resourceMetadata.resource: must be an http or https URL without a fragment (RFC 9728)`,
      ),
      at(
        232,
        `${section}.resourceMetadata.scopesSupported: must be a list of scopes, each without spaces and quotes`,
      ),
      at(
        263,
        `${section}.resourceMetadata.authorizationServers: must be a list of http or https URLs`,
      ),
      at(292, `${section}.resourceMetadata.bearerMethodsSupported: must be a list of strings`),
    ],
  },
  {
    name: 'other bearer methods than a header',
    text: onMcp(', audiences: [x], resourceMetadata: {bearerMethodsSupported: [header, query]}'),
    lines: [
      at(
        216,
        `${section}.resourceMetadata.bearerMethodsSupported: only header is said: MCP clients send their token in no other place`,
      ).replace('error', 'warning'),
    ],
  },
  {
    name: 'an issuer that is no URL',
    text: onTraffic(', mcp: {resourceMetadata: {resource: https://gw.test/mcp}}', 'name: p', 'idp'),
    lines: [
      at(
        527,
        'spec.traffic.jwtAuthentication.mcp: needs an issuer that is an http or https URL, where its metadata is',
      ),
    ],
  },
  {
    name: 'required scopes that are none',
    text: onTraffic('', scopes(' ')),
    lines: [
      'error t.yaml:3:64: AgentgatewayPolicy/default/p: metadata.annotations["postern.dev/required-scopes"]: must be 1 to 64 scopes, separated by spaces',
    ],
  },
  {
    name: 'required scopes with a quote',
    text: onTraffic('', scopes('a"b')),
    lines: [
      'error t.yaml:3:64: AgentgatewayPolicy/default/p: metadata.annotations["postern.dev/required-scopes"]: must be 1 to 64 scopes, separated by spaces',
    ],
  },
  {
    name: 'required scopes where a token may be missing',
    text: onTraffic(', mode: Optional', scopes('a')),
    lines: [
      'error t.yaml:3:64: AgentgatewayPolicy/default/p: metadata.annotations["postern.dev/required-scopes"]: needs a policy whose mode requires a valid token',
    ],
  },
  {
    name: 'required scopes of a policy that authenticates nobody',
    text: `${base}---
apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {${scopes('a')}}
spec: {targetRefs: [${onGateway}], rbac: {policy: {matchExpressions: ['true']}}}
`,
    lines: [
      'error t.yaml:25:64: GlooTrafficPolicy/default/p: metadata.annotations["postern.dev/required-scopes"]: has no effect on a policy that authenticates nobody',
    ],
  },
]);

test('two policies that authenticate one backend: the first by name wins', () => {
  const { lines } = compileText(
    `${onMcp(', audiences: [x]')}---\n${onMcp(', audiences: [y]', onBackend, 'name: q').split('---')[0]}`,
  );
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /^warning .*AgentgatewayPolicy\/default\/q: .*is overridden by AgentgatewayPolicy\/default\/p on the same target/,
  );
});

test('an AgentgatewayBackend without MCP has no MCP authentication', () => {
  const { lines } = compileText(`${backend}---${staticBackend}---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: inner}
spec:
  static: {host: 127.0.0.1, port: 3001}
  policies: {mcp: {authentication: {issuer: https://inner.test, ${jwks}, audiences: [x]}}}
`);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /spec\.policies\.mcp\.authentication: has no effect on a backend without an mcp block/,
  );
});
