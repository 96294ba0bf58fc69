/**
 * MCP authentication of the Agentgateway kinds: `traffic.jwtAuthentication.mcp`, and
 * `backend.mcp.authentication`, which says the same of a backend.
 */

import { backendObjectReference, duration } from './common.ts';
import {
  anything,
  ignored,
  list,
  mapOf,
  object,
  oneOfWords,
  string,
  type Typed,
} from './schema.ts';

/** cacheDuration: default and minimum 5m. */
export const remoteJwks = object(
  {
    jwksPath: string({
      minLength: 1,
      maxLength: 2000,
      pattern: '^[^\\s#]+$',
      says: 'a path without spaces and "#"',
    }),
    backendRef: backendObjectReference,
  },
  { cacheDuration: duration },
);

/** Auth0 gets `audience` added to its authorization endpoint; for the others the word changes nothing. */
const provider = oneOfWords('Auth0', 'Keycloak', 'Okta', 'Descope', 'Authentik', 'Entra');

/** Members of the RFC 9728 document, in camelCase or as they stand there. */
const resourceMetadata = mapOf(anything(), { maxProperties: 64 });

const resourceFields = { provider, resourceMetadata, clientId: ignored() };

/** `traffic.jwtAuthentication.mcp`: makes what the policy guards an OAuth protected resource. */
export const mcpResource = object({}, resourceFields);
export type McpResource = Typed<typeof mcpResource>;

/** `backend.mcp.authentication`. Default mode Strict. */
export const mcpAuthentication = object(
  { issuer: string({ minLength: 1, maxLength: 256 }), jwks: remoteJwks },
  {
    ...resourceFields,
    audiences: list(string({ minLength: 1, maxLength: 2048 }), { minItems: 1, maxItems: 64 }),
    mode: oneOfWords('Strict', 'Optional', 'Permissive'),
    clientSecretRef: ignored(),
  },
);
export type McpAuthentication = Typed<typeof mcpAuthentication>;
