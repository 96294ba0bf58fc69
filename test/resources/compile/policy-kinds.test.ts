import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';

import type { AuthenticationPlan, Plan, ProviderPlan } from '../../../src/plan.ts';
import { planOf } from '../fixtures/compile-text.ts';
import { guideJwks } from '../fixtures/guide-key.ts';
import { base, onBackend, onGateway, service, staticBackend } from '../fixtures/small-resources.ts';

const policy = (kind: string, group: string, spec: string): string => `
apiVersion: ${group}/v1alpha1
kind: ${kind}
metadata: {name: p}
spec:
  targetRefs: [${onGateway}]
${spec}
`;

const staged = (field: string): string =>
  `  ${field}: {beforeExtAuth: {providers: {one: {issuer: one, audiences: [aud], jwks: {local: {key: '${guideJwks}'}}}}}}
  rbac: {policy: {matchExpressions: ['jwt.sub == "a"', 'jwt.sub == "b"']}}`;

const extension = (jwks: string, mode = ''): string => `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: GatewayExtension
metadata: {name: jwt}
spec: {jwt: {${mode} providers: [{name: one, issuer: one, audiences: [aud], jwks: {local: {${jwks}}}}]}}
`;

const viaExtension = `  jwtAuth: {extensionRef: {name: jwt}}
  rbac: {policy: {matchExpressions: ['jwt.sub == "a"', 'jwt.sub == "b"']}}`;

const traffic = `  traffic:
    jwtAuthentication: {providers: [{issuer: one, audiences: [aud], jwks: {inline: '${guideJwks}'}}]}
    authorization: {policy: {matchExpressions: ['jwt.sub == "a"', 'jwt.sub == "b"']}}`;

const kgateway = 'gateway.kgateway.dev';
const jwksConfigMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: keys}
data: {jwks: '${guideJwks}'}
`;

const rows: [kind: string, texts: string[]][] = [
  ['GlooTrafficPolicy', [policy('GlooTrafficPolicy', 'gloo.solo.io', staged('glooJWT'))]],
  [
    'EnterpriseKgatewayTrafficPolicy',
    [policy('EnterpriseKgatewayTrafficPolicy', 'enterprisekgateway.solo.io', staged('entJWT'))],
  ],
  [
    'TrafficPolicy',
    [policy('TrafficPolicy', kgateway, viaExtension), extension(`inline: '${guideJwks}'`)],
  ],
  [
    'TrafficPolicy',
    [
      policy('TrafficPolicy', kgateway, viaExtension),
      extension('configMapRef: {name: keys}'),
      jwksConfigMap,
    ],
  ],
  ['AgentgatewayPolicy', [policy('AgentgatewayPolicy', 'agentgateway.dev', traffic)]],
  [
    'EnterpriseAgentgatewayPolicy',
    [policy('EnterpriseAgentgatewayPolicy', 'enterpriseagentgateway.solo.io', traffic)],
  ],
];

const withoutKeys = (provider: ProviderPlan): Partial<ProviderPlan> =>
  Object.fromEntries(Object.entries(provider).filter(([member]) => member !== 'keys'));

const kidOf = (provider: ProviderPlan | undefined): unknown =>
  provider?.keys.source === 'local' ? provider.keys.jwks[0]?.kid : undefined;

for (const [kind, texts] of rows) {
  test(`a ${kind} normalises to the one internal form`, () => {
    const plan = planOf([...texts, base].join('---'));
    const [authentication] = plan.authentications;
    assert.ok(authentication);
    const agentgateway = kind.includes('Agentgateway');
    const { providers, ...rest } = authentication;
    const [provider] = providers;
    assert.ok(provider);
    assert.deepEqual(rest, {
      policy: 'default/p',
      policyKind: kind,
      mode: 'RequireValid',
      failureStatus: agentgateway ? 401 : 403,
    });
    assert.deepEqual(withoutKeys(provider), {
      name: 'one',
      issuer: 'one',
      audiences: ['aud'],
      clockSkewSeconds: 60,
      keepToken: false,
      tokenSources: {
        headers: [{ header: 'authorization', prefix: 'Bearer ' }],
        queryParams: agentgateway ? [] : ['access_token'],
      },
      claimsToHeaders: [],
    });
    assert.equal(kidOf(provider), 'solo-public-key-001');
    assert.deepEqual(plan.authorizations, [
      {
        policy: 'default/p',
        policyKind: kind,
        action: 'Allow',
        onDeny: null,
        expressions: ['jwt.sub == "a"', 'jwt.sub == "b"'],
      },
    ]);
  });
}

const modes: [name: string, texts: string[], mode: AuthenticationPlan['mode']][] = [
  ...(['RequireValid', 'AllowMissing', 'AllowMissingOrFailed'] as const).map(
    (mode): [string, string[], AuthenticationPlan['mode']] => [
      `validationPolicy ${mode}`,
      [
        policy(
          'GlooTrafficPolicy',
          'gloo.solo.io',
          staged('glooJWT').replace('{providers:', `{validationPolicy: ${mode}, providers:`),
        ),
      ],
      mode,
    ],
  ),
  ...(
    [
      ['Strict', 'RequireValid'],
      ['Optional', 'AllowMissing'],
      ['Permissive', 'AllowMissingOrFailed'],
    ] as const
  ).map(([mode, expected]): [string, string[], AuthenticationPlan['mode']] => [
    `mode ${mode}`,
    [
      policy(
        'AgentgatewayPolicy',
        'agentgateway.dev',
        traffic.replace('{providers:', `{mode: ${mode}, providers:`),
      ),
    ],
    expected,
  ]),
  [
    'validationMode AllowMissing',
    [
      policy('TrafficPolicy', kgateway, viaExtension),
      extension(`inline: '${guideJwks}'`, 'validationMode: AllowMissing,'),
    ],
    'AllowMissing',
  ],
];

for (const [name, texts, mode] of modes) {
  test(`${name} means ${mode}`, () => {
    assert.equal(planOf([...texts, base].join('---')).authentications[0]?.mode, mode);
  });
}

const providerOf = (plan: Plan): ProviderPlan => {
  const provider = plan.authentications[0]?.providers[0];
  assert.ok(provider);
  return provider;
};

const glooProvider = (members: string): string =>
  policy(
    'GlooTrafficPolicy',
    'gloo.solo.io',
    `  glooJWT: {beforeExtAuth: {providers: {one: {${members}}}}}`,
  );

test('all members of a provider of glooJWT are carried over', () => {
  const text =
    glooProvider(`jwks: {local: {key: '${guideJwks}'}}, keepToken: true, clockSkewSeconds: 0,
    tokenSource: {headers: [{header: X-Token}, {header: Authorization, prefix: "Token "}], queryParams: [t]},
    claimsToHeaders: [{claim: org.team, header: X-Team, append: true}, {claim: sub, header: x-sub}]`);
  assert.deepEqual(withoutKeys(providerOf(planOf(`${text}---${base}`))), {
    name: 'one',
    issuer: null,
    audiences: null,
    clockSkewSeconds: 0,
    keepToken: true,
    tokenSources: {
      headers: [
        { header: 'x-token', prefix: '' },
        { header: 'authorization', prefix: 'Token ' },
      ],
      queryParams: ['t'],
    },
    claimsToHeaders: [
      { claim: 'org.team', header: 'x-team', append: true },
      { claim: 'sub', header: 'x-sub', append: false },
    ],
  });
});

test('a token source of query parameters alone replaces the default', () => {
  const text = glooProvider(
    `jwks: {local: {key: '${guideJwks}'}}, tokenSource: {queryParams: [t]}`,
  );
  assert.deepEqual(providerOf(planOf(`${text}---${base}`)).tokenSources, {
    headers: [],
    queryParams: ['t'],
  });
});

test('a location of an AgentgatewayPolicy replaces the default', () => {
  const at = (location: string): string =>
    `${policy('AgentgatewayPolicy', 'agentgateway.dev', traffic.replace('{providers:', `{location: ${location}, providers:`))}---${base}`;
  assert.deepEqual(providerOf(planOf(at('{header: {name: X-Jwt}}'))).tokenSources, {
    headers: [{ header: 'x-jwt', prefix: '' }],
    queryParams: [],
  });
  assert.deepEqual(providerOf(planOf(at('{queryParameter: {name: jwt}}'))).tokenSources, {
    headers: [],
    queryParams: ['jwt'],
  });
});

test('one PEM key alone makes kid optional', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = JSON.stringify(publicKey.export({ type: 'spki', format: 'pem' }));
  const { keys } = providerOf(planOf(`${glooProvider(`jwks: {local: {key: ${pem}}}`)}---${base}`));
  assert.ok(keys.source === 'local');
  assert.equal(keys.kidOptional, true);
  assert.equal(keys.jwks.length, 2);
});

const remote = (members: string): string => glooProvider(`jwks: {remote: {${members}}}`);
const localService = service.replace(
  'labels: {app: svc}',
  'annotations: {postern.dev/hosts: 127.0.0.1}',
);
const serviceTls = `
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: tls}
spec:
  targetRefs: [{group: "", kind: Service, name: svc}]
  validation: {hostname: idp.internal, wellKnownCACertificates: System}
`;
const keysOf = (...texts: string[]): unknown =>
  providerOf(planOf([...texts, base].join('---'))).keys;

test('remote keys: the connection goes to the backendRef, the URL sets the rest', () => {
  const text = remote('url: "http://idp.example.com/keys?x=1", backendRef: {name: svc, port: 80}');
  assert.deepEqual(keysOf(text, localService), {
    source: 'remote',
    url: 'http://idp.example.com/keys?x=1',
    target: {
      name: 'svc',
      host: '127.0.0.1',
      port: 8000,
      path: null,
      protocol: 'HTTP',
      tls: null,
    },
    cacheDurationMs: 300_000,
    waitForFirstFetch: true,
  });
});

test('remote keys over https are verified for the host of the URL with the system CAs', () => {
  const text = remote(
    'url: "https://idp.example.com/keys", backendRef: {group: gateway.kgateway.dev, kind: Backend, name: plain}, asyncFetch: {fastListener: true}, cacheDuration: 1m30s',
  );
  assert.deepEqual(keysOf(text, staticBackend), {
    source: 'remote',
    url: 'https://idp.example.com/keys',
    target: {
      name: 'plain',
      host: '127.0.0.1',
      port: 3002,
      path: null,
      protocol: 'HTTP',
      tls: {
        policy: 'GlooTrafficPolicy/default/p',
        serverName: 'idp.example.com',
        caCertificatesPem: null,
        subjectAltNames: [],
        invalid: null,
      },
    },
    cacheDurationMs: 90_000,
    waitForFirstFetch: false,
  });
});

for (const scheme of ['http', 'https']) {
  test(`a BackendTLSPolicy of the key endpoint counts for an ${scheme} URL`, () => {
    const text = remote(`url: "${scheme}://idp/keys", backendRef: {name: svc, port: 80}`);
    const keys = keysOf(text, localService, serviceTls) as { target: { tls: { policy: string } } };
    assert.equal(keys.target.tls.policy, 'BackendTLSPolicy/default/tls');
  });
}

for (const [tls, url] of [
  [[], 'http://127.0.0.1:8000/realms/keys'],
  [[serviceTls], 'https://127.0.0.1:8000/realms/keys'],
] as const) {
  test(`jwksPath is fetched from the backend: ${url}`, () => {
    const text = policy(
      'AgentgatewayPolicy',
      'agentgateway.dev',
      '  traffic: {jwtAuthentication: {providers: [{issuer: a, jwks: {remote: {jwksPath: realms/keys, backendRef: {name: svc, port: 80}}}}]}}',
    );
    const keys = keysOf(text, localService, ...tls) as { url: string; waitForFirstFetch: boolean };
    assert.equal(keys.url, url);
    assert.equal(keys.waitForFirstFetch, true);
  });
}

const mcpRule = `policy: {matchExpressions: ['mcp.tool.name == "echo"']}`;
const mcpRows: [name: string, text: string, target: string | null][] = [
  [
    'rbac of a GlooTrafficPolicy',
    policy('GlooTrafficPolicy', 'gloo.solo.io', `  rbac: {${mcpRule}}`).replace(
      onGateway,
      onBackend,
    ),
    null,
  ],
  [
    'rbac on one MCP target, whatever the group',
    policy('GlooTrafficPolicy', 'gloo.solo.io', `  rbac: {${mcpRule}}`).replace(
      onGateway,
      '{group: gateway.networking.k8s.io, kind: Backend, name: mcp, sectionName: one}',
    ),
    'one',
  ],
  [
    'backend.mcp.authorization of an AgentgatewayPolicy',
    policy(
      'AgentgatewayPolicy',
      'agentgateway.dev',
      `  backend: {mcp: {authorization: {${mcpRule}}}}`,
    ).replace(onGateway, onBackend),
    null,
  ],
];

for (const [name, text, target] of mcpRows) {
  test(`rules on a Backend decide on MCP methods, not on HTTP: ${name}`, () => {
    const plan = planOf(`${text}---${base}`);
    assert.deepEqual(plan.backends[0]?.mcpAuthorizations, [{ authorization: 0, target }]);
    assert.deepEqual(plan.authorizations[0]?.expressions, ['mcp.tool.name == "echo"']);
    assert.deepEqual(plan.ports[0]?.listeners[0]?.rules[0]?.authorizations, []);
  });
}

test('rules inside an AgentgatewayBackend come before those of policies', () => {
  const text = `
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: ag}
spec:
  mcp: {targets: [{name: one, static: {host: 127.0.0.1, port: 1}}]}
  policies: {mcp: {authorization: {action: Deny, ${mcpRule}}}}
---${policy('GlooTrafficPolicy', 'gloo.solo.io', `  rbac: {${mcpRule}}`).replace(
    onGateway,
    '{group: agentgateway.dev, kind: AgentgatewayBackend, name: ag}',
  )}---${base.replace('group: gateway.kgateway.dev, kind: Backend, name: mcp', 'group: agentgateway.dev, kind: AgentgatewayBackend, name: ag')}`;
  const plan = planOf(text);
  const policies = plan.backends[0]?.mcpAuthorizations.map(
    ({ authorization }) => plan.authorizations[authorization]?.policy,
  );
  assert.deepEqual(policies, ['default/ag', 'default/p']);
});
