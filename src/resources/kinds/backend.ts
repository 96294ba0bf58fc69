/** Backend (gateway.kgateway.dev/v1alpha1): an MCP server, or a plain host. */

import { networkHost, objectName, portNumber } from './common.ts';
import { mcpSelector, mcpStaticTarget } from './mcp-target.ts';
import { ignored, list, object, oneOfWords, type Typed } from './schema.ts';

const mcpTarget = object(
  { name: objectName },
  { static: mcpStaticTarget, selector: mcpSelector },
  { exactlyOneOf: ['static', 'selector'] },
);
export type McpTarget = Typed<typeof mcpTarget>;

/** The types that this version does not implement leave a backend without targets: 500. */
export const backendSpec = object(
  { type: oneOfWords('MCP', 'Static', 'AI', 'AWS', 'DynamicForwardProxy') },
  {
    mcp: object({ targets: list(mcpTarget, { minItems: 1, maxItems: 32, uniqueBy: 'name' }) }),
    static: object(
      {
        hosts: list(object({ host: networkHost, port: portNumber }), { minItems: 1, maxItems: 1 }),
      },
      { appProtocol: ignored() },
    ),
    ai: ignored(),
    aws: ignored(),
    dynamicForwardProxy: ignored(),
  },
  {
    unionBy: {
      discriminator: 'type',
      blocks: {
        MCP: 'mcp',
        Static: 'static',
        AI: 'ai',
        AWS: 'aws',
        DynamicForwardProxy: 'dynamicForwardProxy',
      },
    },
  },
);
export type BackendSpec = Typed<typeof backendSpec>;
