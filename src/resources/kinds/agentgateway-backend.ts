/**
 * AgentgatewayBackend (agentgateway.dev/v1alpha1) and EnterpriseAgentgatewayBackend
 * (enterpriseagentgateway.solo.io/v1alpha1).
 */

import {
  authorization,
  localReference,
  networkHost,
  objectName,
  portNumber,
  preciseHostname,
} from './common.ts';
import { mcpAuthentication } from './mcp-authentication.ts';
import { mcpPath, mcpProtocol, mcpSelector } from './mcp-target.ts';
import { ignored, list, object, oneOfWords, refused, string, type Typed } from './schema.ts';

/** TLS to a backend; `{}` means system CAs, and SNI and verified name from the host. */
export const backendTls = object(
  {},
  {
    sni: preciseHostname,
    verifySubjectAltNames: list(string({ minLength: 1, maxLength: 256 }), {
      minItems: 1,
      maxItems: 16,
    }),
    caCertificateRefs: list(localReference, { maxItems: 1 }),
    mtlsCertificateRef: ignored(),
    insecureSkipVerify: refused('a backend certificate is always verified'),
    alpnProtocols: ignored(),
    keyExchangeGroups: ignored(),
  },
);
export type BackendTls = Typed<typeof backendTls>;

/** `mcp` block of backend policies. Authorization decides on MCP methods, authentication on all requests. */
export const backendMcpPolicy = object(
  {},
  {
    authorization,
    authentication: mcpAuthentication,
    guardrails: refused('guardrails would not run'),
  },
);

/** Fields of backend policies that have no effect, or are refused, wherever they appear. */
export const otherBackendPolicies = {
  auth: ignored(),
  tcp: ignored(),
  http: ignored(),
  tunnel: ignored(),
  ai: ignored(),
  transformation: ignored(),
  health: ignored(),
  tokenExchange: ignored(),
  extAuth: refused('external authorization would not run', 'disable'),
};

const targetPolicies = object({}, { ...otherBackendPolicies, tls: backendTls });
const backendPolicies = object(
  {},
  { ...otherBackendPolicies, tls: backendTls, mcp: backendMcpPolicy },
);

const staticTarget = object(
  { port: portNumber },
  {
    host: networkHost,
    backendRef: localReference,
    path: mcpPath,
    protocol: mcpProtocol,
    policies: targetPolicies,
  },
  { exactlyOneOf: ['host', 'backendRef'] },
);

const target = object(
  { name: objectName },
  { static: staticTarget, selector: mcpSelector },
  { exactlyOneOf: ['static', 'selector'] },
);
export type AgentgatewayMcpTarget = Typed<typeof target>;

const fields = {
  mcp: object(
    { targets: list(target, { minItems: 1, maxItems: 32, uniqueBy: 'name' }) },
    {
      sessionRouting: ignored(),
      failureMode: oneOfWords('FailClosed', 'FailOpen'),
      prefixMode: oneOfWords('Conditional', 'Always', 'Never'),
    },
  ),
  static: object({ host: networkHost, port: portNumber }),
  a2a: ignored(),
  ai: ignored(),
  aws: ignored(),
  dynamicForwardProxy: ignored(),
  policies: backendPolicies,
};

const blocks = ['mcp', 'static', 'a2a', 'ai', 'aws', 'dynamicForwardProxy'];

export const agentgatewayBackendSpec = object({}, fields, { exactlyOneOf: blocks });
export type AgentgatewayBackendSpec = Typed<typeof agentgatewayBackendSpec>;

export const enterpriseAgentgatewayBackendSpec = object(
  {},
  { ...fields, entMcp: ignored() },
  { exactlyOneOf: [...blocks, 'entMcp'] },
);
export type EnterpriseAgentgatewayBackendSpec = Typed<typeof enterpriseAgentgatewayBackendSpec>;
