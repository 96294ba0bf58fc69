import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../json/read-json.ts';
import { findValues } from '../find-values.ts';
import type { McpRequest } from '../message.ts';
import { errorMessage, resultMessage, unavailable } from './answers.ts';
import { fanOut } from './fan-out.ts';
import type { FederatedCall } from './federated-call.ts';
import { failsWhole, type FederationParts } from './federation-parts.ts';
import { openForLegacy } from './legacy-sessions.ts';
import { mergeInitialize } from './merge-initialize.ts';
import { boundClientParams, writeSession, type TargetSession } from './session-text.ts';
import { isModernVersion } from '../protocol-version.ts';

const PARAMS = { members: { params: { label: 'params' } } };
/** Flags of capabilities that promise notifications. */
const PUSHED: readonly string[] = ['listChanged', 'subscribe'];
const NEWEST_LEGACY_VERSION = '2025-11-25';

/**
 * Opens a session at every target, each with the client's own params, and answers with what they are together. The
 * session id that the client gets holds those of the targets.
 */
export async function routeInitialize(
  parts: FederationParts,
  call: FederatedCall,
  request: McpRequest,
  sendSession: (text: string) => void,
): Promise<void> {
  const { base, answer } = call;
  const client = boundClientParams(request.params);
  const paramsText = paramsOf(base.body) ?? JSON.stringify(client);
  const opened = await fanOut(parts.targets, (upstream) =>
    openForLegacy(call, upstream, client, paramsText, 0, parts.timeoutMs),
  );
  if (call.scope.isOver) return;
  const failures = opened.flatMap((one, index) =>
    one.kind === 'failed' ? [{ target: nameOf(parts, index), reason: one.reason }] : [],
  );
  const targets = new Map<string, TargetSession>();
  const introductions = opened.flatMap((one, index) => {
    if (one.kind === 'failed') return [];
    const target = nameOf(parts, index);
    targets.set(target, one.session);
    const isModern = isModernVersion(one.session.version);
    const version = isModern ? legacyVersion(client.protocolVersion) : one.session.version;
    const capabilities = isModern ? withoutPush(one.capabilities) : one.capabilities;
    return [{ target, version, capabilities, instructions: one.instructions }];
  });
  const fails = failsWhole(parts, call, failures, parts.targets.length);
  const text = fails ? null : writeSession({ key: randomUUID(), targets, client, logLevel: null });
  if (text === null) {
    if (!fails) call.note('the session ids of the targets are too long together');
    answer.respond(200, errorMessage(request.id, unavailable.code, unavailable.message));
    return;
  }
  const merged = mergeInitialize(introductions, parts);
  const { instructions, ...result } = merged;
  sendSession(text);
  answer.respond(
    200,
    resultMessage(
      request.id,
      JSON.stringify(instructions === null ? result : { ...result, instructions }),
    ),
  );
}

/** A modern target tells nothing that a legacy client could hear outside of its requests. */
function withoutPush(capabilities: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(capabilities).map(([name, block]) => {
      if (!isJsonObject(block)) return [name, block];
      const rest = Object.entries(block).filter(([flag]) => !PUSHED.includes(flag));
      return [name, Object.fromEntries(rest)];
    }),
  );
}

function paramsOf(body: Buffer | null): string | null {
  const found = body === null ? -1 : findValues(body, PARAMS);
  if (body === null || typeof found === 'number') return null;
  const [params] = found;
  return params === undefined ? null : body.toString('utf8', params.start, params.end);
}

/** A modern target has no say in the version that a legacy client speaks with the gate. */
function legacyVersion(asked: string): string {
  return /^20\d\d-\d\d-\d\d$/.test(asked) && asked < NEWEST_LEGACY_VERSION
    ? asked
    : NEWEST_LEGACY_VERSION;
}

function nameOf(parts: FederationParts, index: number): string {
  return parts.targets[index]?.targetName ?? '';
}
