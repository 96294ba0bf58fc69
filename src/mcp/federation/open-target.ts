/** The first words with a target: `initialize` in the legacy era, `server/discover` in the modern one. */

import { headerValue } from '../../accept/request-head.ts';
import type { Upstream, UpstreamRequest } from '../../forward/upstream.ts';
import { isJsonObject, readJson, type JsonObject } from '../../json/read-json.ts';
import type { Milliseconds } from '../../units.ts';
import { CLIENT_CAPABILITIES, PROTOCOL_VERSION } from '../protocol-version.ts';
import { askTarget, type TargetAnswer } from './ask-target.ts';
import type { CallScope } from './call-scope.ts';
import {
  isSessionId,
  offerLetters,
  type ClientParams,
  type TargetSession,
} from './session-text.ts';

/** A target that is ready, and what it says of itself. */
export interface OpenedTarget {
  readonly kind: 'opened';
  readonly session: TargetSession;
  readonly capabilities: JsonObject;
  readonly instructions: string | null;
  /** Modern targets alone. */
  readonly supportedVersions: readonly string[];
  /** Whether it says the same to whoever asks (MCP 2026-07-28, `cacheScope`). */
  readonly isPublic: boolean;
}

export interface FailedTarget {
  readonly kind: 'failed';
  /** For the log: nothing of the answer is repeated. */
  readonly reason: string;
  /** The target answered, but does not know the era that it was asked in. */
  readonly isOtherEra: boolean;
}

export interface OpenOptions {
  readonly scope: CallScope;
  readonly upstream: Upstream;
  readonly base: UpstreamRequest;
  readonly timeoutMs: Milliseconds;
  readonly generation: number;
}

/** The revision that modern requests of the gate's own are made in. */
export const MODERN_VERSION = '2026-07-28';

const OWN_ID = 'postern';
const LIMITS = Object.freeze({ maxDepth: 32, maxValues: 20_000 });

/**
 * Opens a legacy session.
 *
 * @param paramsText the JSON text of the params of `initialize`
 */
export async function initializeTarget(
  options: OpenOptions,
  paramsText: string,
): Promise<OpenedTarget | FailedTarget> {
  const { scope, upstream, base, timeoutMs, generation } = options;
  const text = `{"jsonrpc":"2.0","id":"${OWN_ID}","method":"initialize","params":${paramsText}}`;
  const answer = await askTarget(
    scope,
    upstream,
    base,
    {
      method: 'POST',
      body: Buffer.from(text),
      sessionId: null,
      version: null,
      mcpMethod: 'initialize',
      mcpName: null,
    },
    OWN_ID,
    timeoutMs,
  );
  const result = readAnswer(answer);
  if ('reason' in result) return result;
  const { protocolVersion, capabilities, instructions } = result.value;
  if (typeof protocolVersion !== 'string' || !/^[!-~]{1,32}$/.test(protocolVersion)) {
    return failed('initialize was answered without a protocol version');
  }
  const id = answer.kind === 'answer' ? headerValue(answer.headers, 'mcp-session-id') : undefined;
  if (id !== undefined && !isSessionId(id)) return failed('a session id of an unlawful form');
  const offered = isJsonObject(capabilities) ? capabilities : {};
  return {
    kind: 'opened',
    session: { id: id ?? null, version: protocolVersion, offers: offersOf(offered), generation },
    capabilities: offered,
    instructions: typeof instructions === 'string' ? instructions : null,
    supportedVersions: [],
    isPublic: false,
  };
}

/** Asks a target what it is in the modern era (MCP 2026-07-28, `server/discover`). */
export async function discoverTarget(
  options: OpenOptions,
  version: string,
  client: Pick<ClientParams, 'capabilities' | 'clientInfo'>,
): Promise<OpenedTarget | FailedTarget> {
  const { scope, upstream, base, timeoutMs, generation } = options;
  const text = `{"jsonrpc":"2.0","id":"${OWN_ID}","method":"server/discover","params":{"_meta":${modernMeta(version, client)}}}`;
  const answer = await askTarget(
    scope,
    upstream,
    base,
    {
      method: 'POST',
      body: Buffer.from(text),
      sessionId: null,
      version,
      mcpMethod: 'server/discover',
      mcpName: null,
    },
    OWN_ID,
    timeoutMs,
  );
  const result = readAnswer(answer);
  if ('reason' in result) return result;
  const { supportedVersions, capabilities, instructions, cacheScope } = result.value;
  const offered = isJsonObject(capabilities) ? capabilities : {};
  const versions = Array.isArray(supportedVersions) ? (supportedVersions as unknown[]) : [];
  return {
    kind: 'opened',
    session: { id: null, version, offers: offersOf(offered), generation },
    capabilities: offered,
    instructions: typeof instructions === 'string' ? instructions : null,
    supportedVersions: versions.filter(
      (one): one is string => typeof one === 'string' && /^[!-~]{1,32}$/.test(one),
    ),
    isPublic: cacheScope === 'public',
  };
}

/** The `_meta` that every modern request has. */
export function modernMeta(
  version: string,
  client: Pick<ClientParams, 'capabilities' | 'clientInfo'>,
): string {
  return JSON.stringify({
    [PROTOCOL_VERSION]: version,
    [CLIENT_CAPABILITIES]: client.capabilities,
    'io.modelcontextprotocol/clientInfo': client.clientInfo,
  });
}

function readAnswer(answer: TargetAnswer): { readonly value: JsonObject } | FailedTarget {
  if (answer.kind === 'failure') return failed(answer.reason);
  const { status, response } = answer;
  if (status === 401 || status === 403 || status === 429 || status >= 500) {
    return failed(`HTTP status ${status}`);
  }
  if (response.kind === 'result') {
    const { value } = readJson(response.result, LIMITS);
    return isJsonObject(value) ? { value } : failed('the result can not be read');
  }
  const reason =
    response.kind === 'error' ? `JSON-RPC error ${response.code}` : `HTTP status ${status}`;
  return { kind: 'failed', reason, isOtherEra: status >= 400 || response.kind === 'error' };
}

function failed(reason: string): FailedTarget {
  return { kind: 'failed', reason, isOtherEra: false };
}

function offersOf(capabilities: JsonObject): string {
  const { tools, prompts, resources, logging, completions, tasks } = capabilities;
  const offered: readonly (readonly [string, unknown])[] = [
    [offerLetters.tools, tools],
    [offerLetters.prompts, prompts],
    [offerLetters.resources, resources],
    [
      offerLetters.subscribe,
      isJsonObject(resources) && resources.subscribe === true ? resources : undefined,
    ],
    [offerLetters.logging, logging],
    [offerLetters.completions, completions],
    [offerLetters.tasks, tasks],
  ];
  return offered.map(([letter, block]) => (isJsonObject(block) ? letter : '')).join('');
}
