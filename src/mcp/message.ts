/** What a body says once it is read: the contract between the reading of MCP messages and all who decide. */

import type { JsonObject } from '../json/read-json.ts';

/**
 * Which lifecycle a message belongs to: `legacy` up to 2025-11-25 (sessions, `initialize`), `modern` from
 * 2026-07-28 (each request stands for itself). The body alone tells.
 */
export type McpEra = 'legacy' | 'modern';

/** MCP allows strings and integers, and no null. */
export type RequestId = string | number;

export type McpMessage = McpRequest | McpNotification | McpResponse;

export interface McpRequest {
  readonly kind: 'request';
  readonly era: McpEra;
  readonly id: RequestId;
  readonly method: string;
  /** Empty where the message has none. Of most calls it is built when it is asked for. */
  readonly params: JsonObject;
  /** `_meta` of the params; `null` where there is none. */
  readonly meta: JsonObject | null;
  /** Whether the params have a member `task`. */
  readonly asksForTask: boolean;
  /** From `_meta`; `null` in the legacy era. */
  readonly protocolVersion: string | null;
  /** What the request is about; `null` where the method names nothing, or is not known. */
  readonly object: McpObject | null;
}

export interface McpNotification {
  readonly kind: 'notification';
  readonly era: McpEra;
  readonly id: null;
  readonly method: string;
  readonly params: JsonObject;
  readonly meta: JsonObject | null;
  readonly protocolVersion: string | null;
  readonly object: null;
}

/** A client's answer to a request of the server: legacy alone knows them. */
export interface McpResponse {
  readonly kind: 'response';
  readonly era: 'legacy';
  /** `null` where an error response names no request. */
  readonly id: RequestId | null;
  readonly isError: boolean;
}

export type McpObject =
  | McpTool
  | McpPrompt
  | McpResource
  | McpResources
  | McpCompletion
  | { readonly type: 'task'; readonly taskId: string };

export interface McpTool {
  readonly type: 'tool';
  readonly name: string;
  /** Empty where the request has none. Of most calls they are built when they are asked for. */
  readonly arguments: JsonObject;
}

export interface McpPrompt {
  readonly type: 'prompt';
  readonly name: string;
  readonly arguments: JsonObject;
}

export interface McpResource {
  readonly type: 'resource';
  /** As sent. */
  readonly uri: string;
  /**
   * As a server reads it that parses URIs before it compares them (the official SDKs do, by the WHATWG URL
   * standard): `TEST://a/b/../c` is `test://a/c`. Most often the same as `uri`; a decision must hold for both.
   */
  readonly canonicalUri: string;
}

/** What a `subscriptions/listen` asks to be told about; a decision must hold for each. */
export interface McpResources {
  readonly type: 'resources';
  /** Without repetition: each as sent, and as {@link McpResource.canonicalUri} where that differs. */
  readonly uris: readonly string[];
}

export interface McpCompletion {
  readonly type: 'completion';
  readonly ref:
    | { readonly type: 'prompt'; readonly name: string }
    /** A URI or a URI template; servers compare it as it is. */
    | { readonly type: 'resource'; readonly uri: string };
  /** What is to be completed. */
  readonly argument: { readonly name: string; readonly value: string };
}
