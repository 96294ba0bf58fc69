/**
 * AgentgatewayPolicy (agentgateway.dev/v1alpha1) and EnterpriseAgentgatewayPolicy
 * (enterpriseagentgateway.solo.io/v1alpha1).
 */

import { backendMcpPolicy, backendTls, otherBackendPolicies } from './agentgateway-backend.ts';
import { authorization, headerName, targetReferences, targetSelectors } from './common.ts';
import { mcpResource, remoteJwks } from './mcp-authentication.ts';
import { agentgatewayRateLimit } from './rate-limit.ts';
import { ignored, list, object, oneOfWords, refused, string, type Typed } from './schema.ts';

/** `inline`: a JWKS. */
const jwks = object(
  {},
  { inline: string({ minLength: 2, maxLength: 65536, sensitive: true }), remote: remoteJwks },
  { exactlyOneOf: ['inline', 'remote'] },
);

const provider = object(
  { issuer: string({ minLength: 1, maxLength: 256 }), jwks },
  { audiences: list(string({ minLength: 1, maxLength: 2048 }), { minItems: 1, maxItems: 64 }) },
);
export type AgentgatewayJwtProvider = Typed<typeof provider>;

const unsupportedLocation = 'tokens can be read from a header or a query parameter';

/** Default: the Authorization header with "Bearer ". */
const location = object(
  {},
  {
    header: object({ name: headerName }, { prefix: string({ minLength: 1, maxLength: 256 }) }),
    queryParameter: object({ name: string({ minLength: 1, maxLength: 256 }) }),
    cookie: refused(unsupportedLocation),
    expression: refused(unsupportedLocation),
  },
  { exactlyOneOf: ['header', 'queryParameter', 'cookie', 'expression'] },
);

/** Default mode Strict. */
const jwtAuthentication = object(
  { providers: list(provider, { minItems: 1, maxItems: 64 }) },
  { mode: oneOfWords('Strict', 'Optional', 'Permissive'), location, mcp: mcpResource },
);
export type JwtAuthentication = Typed<typeof jwtAuthentication>;

const trafficFields = {
  jwtAuthentication,
  authorization,
  phase: ignored(),
  cors: ignored(),
  csrf: ignored(),
  rateLimit: agentgatewayRateLimit,
  extProc: ignored(),
  transformation: ignored(),
  headerModifiers: ignored(),
  hostRewrite: ignored(),
  timeouts: ignored(),
  retry: ignored(),
  buffer: ignored(),
  delay: ignored(),
  extAuth: refused('external authorization would not run', 'disable'),
  basicAuthentication: refused('basic authentication would not run'),
  apiKeyAuthentication: refused('API key authentication would not run'),
  directResponse: refused('requests that it answers would reach the backend'),
};

const backend = object({}, { ...otherBackendPolicies, tls: backendTls, mcp: backendMcpPolicy });

const frontend = object(
  {},
  {
    tcp: ignored(),
    tls: ignored(),
    http: ignored(),
    proxyProtocol: ignored(),
    connect: ignored(),
    accessLog: ignored(),
    tracing: ignored(),
    metrics: ignored(),
    networkAuthorization: refused('network authorization would not run'),
  },
);

const sections = {
  targetRefs: targetReferences,
  targetSelectors,
  strategy: refused('a policy that must not be overridden would be overridden'),
  frontend,
  backend,
};
const rules = {
  exactlyOneOf: ['targetRefs', 'targetSelectors'],
  atLeastOneOf: ['traffic', 'backend', 'frontend'],
};

export const agentgatewayPolicySpec = object(
  {},
  { ...sections, traffic: object({}, trafficFields) },
  rules,
);
export type AgentgatewayPolicySpec = Typed<typeof agentgatewayPolicySpec>;

export const enterpriseAgentgatewayPolicySpec = object(
  {},
  {
    ...sections,
    traffic: object(
      {},
      {
        ...trafficFields,
        entRateLimit: refused('its rate limits would not run; use rateLimit'),
        entTransformation: ignored(),
        entExtAuth: refused('external authorization would not run', 'disable'),
      },
    ),
  },
  rules,
);
export type EnterpriseAgentgatewayPolicySpec = Typed<typeof enterpriseAgentgatewayPolicySpec>;
