import assert from 'node:assert/strict';
import { test } from 'node:test';

import { environmentTexts } from '../../../src/resources/environment-texts.ts';
import { redactPlan } from '../../../src/resources/redact-plan.ts';
import { renderSummary } from '../../../src/resources/summary.ts';
import { serverKeyPem } from '../fixtures/certificates.ts';
import { compileText } from '../fixtures/compile-text.ts';
import { documents, guideResources } from '../fixtures/guide-resources.ts';
import {
  backend,
  gateway,
  glooRbac,
  onBackend,
  onGateway,
  secret,
  service,
} from '../fixtures/small-resources.ts';

const environment = { GH_PAT: 'github-token' };

test("the summary of the guide's final state", () => {
  const { plan, statuses } = compileText(guideResources, environment);
  assert.ok(plan);
  assert.equal(
    renderSummary(plan, statuses),
    `Listeners
  gloo-system/agentgateway http: HTTP *:8080, any host, 1 rule
Routes
  gloo-system/mcp-github rule 0 on gloo-system/agentgateway http
    match: PathPrefix /mcp-github
    filters: CORS, RequestHeaderModifier
    to: MCP gloo-system/github-mcp-backend
    authentication: GlooTrafficPolicy gloo-system/jwt (RequireValid, 403, providers selfminted)
    authorization: GlooTrafficPolicy gloo-system/jwt (Allow, 1 expression)
Backends
  MCP gloo-system/github-mcp-backend
    mcp-target: StreamableHTTP https://api.githubcopilot.com:443/mcp/, verified for api.githubcopilot.com by BackendTLSPolicy/gloo-system/github-mcp-backend-tls
Policies
  BackendTLSPolicy/gloo-system/github-mcp-backend-tls on Backend/gloo-system/github-mcp-backend: Accepted, ResolvedRefs
  GlooTrafficPolicy/gloo-system/jwt on Gateway/gloo-system/agentgateway: Accepted, Attached
`,
  );
});

const rich = documents(
  gateway.replace(
    '[{name: http',
    '[{name: tls, protocol: HTTPS, port: 8443, hostname: mcp.example.com, tls: {certificateRefs: [{name: cert}]}}, {name: http',
  ),
  secret,
  backend,
  service,
  glooRbac('rule', onGateway, 'request.headers["x"] == "${RULE}"'),
  glooRbac('mcp', onBackend, 'mcp.tool.name == "echo"', 'Deny'),
  `
apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: jwt}
spec:
  targetRefs: [${onGateway}]
  glooJWT: {beforeExtAuth: {providers: {p: {jwks: {remote: {url: "http://idp/keys?key=remote-secret", backendRef: {name: svc, port: 80}}}}}}}
`,
  `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec:
  parentRefs: [{name: gw}]
  rules:
  - name: main
    matches: [{method: POST, path: {type: RegularExpression, value: "/a\\u001b"}, headers: [{name: X-Api-Key, value: match-secret}, {name: x, value: "\${MATCH}"}], queryParams: [{name: access_token, value: query-secret}]}]
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: x-plain, value: "\${PLAIN}"}, {name: Cookie, value: cookie-secret}]
        add: [{name: x-shown, value: shown}]
    backendRefs:
    - {group: gateway.kgateway.dev, kind: Backend, name: mcp, weight: 3}
    - name: svc
      port: 80
      filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-auth-token, value: response-secret}]}}]
`,
);
const richEnvironment = { RULE: 'rule-secret', PLAIN: 'plain-secret', MATCH: 'other-secret' };

test('a summary says hosts, weights and rules, shows no secret and no control character', () => {
  const { plan, statuses, lines } = compileText(rich, richEnvironment);
  assert.ok(plan, lines.join('\n'));
  const summary = renderSummary(plan, statuses);
  assert.match(summary, /^ {2}default\/gw tls: HTTPS \*:8443, mcp\.example\.com, 1 rule$/m);
  assert.match(
    summary,
    /^ {2}default\/route rule 0 \(main\) on default\/gw tls for mcp\.example\.com$/m,
  );
  assert.match(
    summary,
    /^ {4}match: POST, RegularExpression \/a\\u001b, header x-api-key, header x, query parameter access_token$/m,
  );
  assert.match(summary, /^ {4}to: MCP default\/mcp \(weight 3\)$/m);
  assert.match(
    summary,
    /^ {4}MCP authorization: GlooTrafficPolicy default\/mcp \(Deny, 1 expression\)$/m,
  );
  assert.doesNotMatch(summary, /secret|\u001b/);
});

test('a redacted plan holds no private key, no credential and nothing from the environment', () => {
  const { plan, resources } = compileText(rich, richEnvironment);
  assert.ok(plan);
  const whole = JSON.stringify(plan);
  for (const secretText of ['rule-secret', 'plain-secret', 'other-secret', 'cookie-secret']) {
    assert.ok(whole.includes(secretText));
  }
  const text = JSON.stringify(redactPlan(plan, environmentTexts(resources)));
  assert.doesNotMatch(text, /-secret/);
  assert.ok(!text.includes(JSON.stringify(serverKeyPem.split('\n')[1]).slice(1, -1)));
  assert.ok(text.includes('"shown"'));
  assert.ok(text.includes('BEGIN CERTIFICATE'));
  assert.ok(text.includes('http://idp/keys?[redacted]'));
});

test('redaction leaves the plan itself as it is', () => {
  const { plan } = compileText(guideResources, environment);
  assert.ok(plan);
  const before = JSON.stringify(plan);
  assert.ok(!JSON.stringify(redactPlan(plan)).includes('github-token'));
  assert.equal(JSON.stringify(plan), before);
});
