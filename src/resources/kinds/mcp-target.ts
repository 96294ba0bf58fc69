/** What targets of MCP backends have in common. */

import { labelSelector, networkHost, portNumber } from './common.ts';
import { object, oneOfWords, string, type Typed } from './schema.ts';

/** Path of an MCP endpoint. Default /mcp for StreamableHTTP, /sse for SSE. */
export const mcpPath = string({
  minLength: 1,
  maxLength: 1024,
  pattern: '^/[\\x21\\x22\\x24-\\x7e]*$',
  says: 'a path that starts with "/", without spaces and "#"',
});

export const mcpProtocol = oneOfWords('StreamableHTTP', 'SSE');

/** Default protocol StreamableHTTP. */
export const mcpStaticTarget = object(
  { host: networkHost, port: portNumber },
  { path: mcpPath, protocol: mcpProtocol },
);

/**
 * Services by label. Both spellings of each field are accepted; `namespaces`, `services` are the younger.
 * Without a namespace selector: the backend's own namespace.
 */
export const mcpSelector = object(
  {},
  {
    namespace: labelSelector,
    service: labelSelector,
    namespaces: labelSelector,
    services: labelSelector,
  },
  {
    atLeastOneOf: ['namespaces', 'services', 'namespace', 'service'],
    atMostOneOf: [
      ['namespaces', 'namespace'],
      ['services', 'service'],
    ],
  },
);
export type McpSelector = Typed<typeof mcpSelector>;
