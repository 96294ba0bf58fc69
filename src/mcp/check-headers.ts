import { headerValue, type HeaderFields } from '../accept/request-head.ts';
import { fault, type MessageFault } from './fault.ts';
import type { McpMessage, McpObject } from './message.ts';
import { decodeNameHeader, trimWhitespace } from './name-header.ts';
import { isModernVersion } from './protocol-version.ts';

/** Methods whose object a modern client must mirror in `Mcp-Name` (MCP 2026-07-28; tasks: SEP-2663). */
const MIRRORED: ReadonlySet<string> = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
  'tasks/get',
  'tasks/update',
  'tasks/cancel',
]);

/**
 * Checks the headers that mirror the body (MCP 2026-07-28, Streamable HTTP, standard request headers). The body
 * decides; a header may only agree with it, since the next hop may believe either.
 *
 * - Modern: `MCP-Protocol-Version` equals the body's; a request has `Mcp-Method`, equal to its method, and
 *   `Mcp-Name` where its method mirrors one. Notifications may leave out all but the version.
 * - Legacy: `MCP-Protocol-Version` names no modern revision. `Mcp-Method` and `Mcp-Name` are not asked for, but
 *   must agree if they are there (mcp-remote sends them).
 *
 * @param headers with each of the three at most once
 * @returns a fault (-32020, or -32602 for a legacy body under a modern version), or `null`
 */
export function checkHeaders(message: McpMessage, headers: HeaderFields): MessageFault | null {
  const version = trimmedValue(headers, 'mcp-protocol-version');
  const method = trimmedValue(headers, 'mcp-method');
  const name = headerValue(headers, 'mcp-name');

  if (message.kind === 'response') {
    if (version !== undefined && isModernVersion(version)) {
      return fault(-32600, 'Invalid Request: the modern revisions know no client responses', null);
    }
    if (method === undefined && name === undefined) return null;
    return mismatch('Mcp-Method or Mcp-Name on a response', message);
  }

  if (message.era === 'modern') {
    if (version !== message.protocolVersion) {
      return mismatch('MCP-Protocol-Version does not equal the version in _meta', message);
    }
    if (method === undefined && message.kind === 'request') {
      return mismatch('Mcp-Method is missing', message);
    }
  } else if (version !== undefined && isModernVersion(version)) {
    return message.method === 'initialize'
      ? mismatch('initialize belongs to no modern revision', message)
      : fault(-32602, 'Invalid params: a modern revision without its _meta', requestId(message));
  }
  if (method !== undefined && method !== message.method) {
    return mismatch('Mcp-Method does not equal the method', message);
  }
  return checkName(message, name);
}

function checkName(
  message: Exclude<McpMessage, { kind: 'response' }>,
  name: string | undefined,
): MessageFault | null {
  const expected = message.object === null ? null : nameOf(message.object);
  if (name === undefined) {
    const isMissing =
      message.era === 'modern' && message.kind === 'request' && MIRRORED.has(message.method);
    return isMissing ? mismatch('Mcp-Name is missing', message) : null;
  }
  const decoded = decodeNameHeader(name);
  if (decoded === null) return mismatch('Mcp-Name is not encoded as it must be', message);
  if (expected === null || decoded === expected) return null;
  return mismatch('Mcp-Name does not equal what the body names', message);
}

function nameOf(object: McpObject): string | null {
  switch (object.type) {
    case 'tool':
    case 'prompt':
      return object.name;
    case 'resource':
      return object.uri;
    case 'task':
      return object.taskId;
    case 'resources':
    case 'completion':
      return null;
  }
}

function trimmedValue(headers: HeaderFields, name: string): string | undefined {
  const value = headerValue(headers, name);
  return value === undefined ? undefined : trimWhitespace(value);
}

function mismatch(problem: string, message: McpMessage): MessageFault {
  return fault(-32020, `Header mismatch: ${problem}`, requestId(message));
}

function requestId(message: McpMessage): string | number | null {
  return message.kind === 'request' ? message.id : null;
}
