/** MCP requests as the authorizer asks about them. */

import type { JsonObject } from '../json/read-json.ts';
import type { McpKind } from './mcp-members.ts';

/** Methods that act on something a policy can name. */
export const decidedMethods = [
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'completion/complete',
] as const;
export type DecidedMethod = (typeof decidedMethods)[number];

/** What a rule finds under `mcp`. */
export interface McpItem {
  readonly kind: McpKind;
  /** Of a tool or a prompt the upstream's own name, without a prefix; of a resource its URI. */
  readonly name: string;
  /** Name of the target that has it. */
  readonly target: string;
  /** As the request states it, or `null` where it states none: then rules do not find it either. */
  readonly protocolVersion: string | null;
}

export interface McpCall extends McpItem {
  readonly method: DecidedMethod;
  /** `params.arguments`, or `null` where absent: rules then see an empty map. */
  readonly arguments: JsonObject | null;
  /** `params.argument` of completion/complete, `null` for other methods. */
  readonly completion: { readonly name: string; readonly value: string } | null;
}
