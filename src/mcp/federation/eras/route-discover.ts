import type { McpRequest } from '../../message.ts';
import { isModernVersion } from '../../protocol-version.ts';
import { errorMessage, resultMessage, unavailable } from '../answers.ts';
import { fanOut } from '../fan-out.ts';
import type { FederatedCall } from '../federated-call.ts';
import { failsWhole, type FederationParts } from '../federation-parts.ts';
import { mergeInitialize } from '../merge-initialize.ts';
import { MODERN_VERSION } from '../open-target.ts';
import { refuseMethod } from '../route-call.ts';
import type { ModernSessions } from './modern-sessions.ts';

/** How long a client may keep the answer: targets come and go. */
const TTL_MS = 60_000;

/**
 * Answers `server/discover` (MCP 2026-07-28) with what all targets are together. Where none is modern it is a method
 * that is not known: clients of both eras then open a legacy session, in which servers can ask them back.
 */
export async function routeDiscover(
  parts: FederationParts,
  sessions: ModernSessions,
  call: FederatedCall,
  request: McpRequest,
): Promise<void> {
  const { answer } = call;
  const opened = await fanOut(parts.targets, (upstream) => sessions.introduce(call, upstream));
  if (call.scope.isOver) return;
  const nameOf = (index: number): string => parts.targets[index]?.targetName ?? '';
  const failures = opened.flatMap((one, index) =>
    one.kind === 'failed' ? [{ target: nameOf(index), reason: one.reason }] : [],
  );
  if (failsWhole(parts, call, failures, parts.targets.length)) {
    answer.respond(200, errorMessage(request.id, unavailable.code, unavailable.message));
    return;
  }
  const introductions = opened.flatMap((one, index) =>
    one.kind === 'failed'
      ? []
      : [
          {
            target: nameOf(index),
            version: one.session.version,
            capabilities: one.capabilities,
            instructions: one.instructions,
          },
        ],
  );
  const modern = opened.flatMap((one) =>
    one.kind === 'opened' && isModernVersion(one.session.version) ? [one.supportedVersions] : [],
  );
  if (modern.length === 0) {
    refuseMethod(call, request);
    return;
  }
  const supportedVersions = intersection(modern);
  const { capabilities, serverInfo, instructions } = mergeInitialize(introductions, parts);
  answer.respond(
    200,
    resultMessage(
      request.id,
      JSON.stringify({
        supportedVersions: supportedVersions.length === 0 ? [MODERN_VERSION] : supportedVersions,
        // Tasks of the legacy era are another protocol than the extension of this one.
        capabilities: { ...capabilities, tasks: undefined },
        serverInfo,
        ...(instructions === null ? {} : { instructions }),
        resultType: 'complete',
        ttlMs: TTL_MS,
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
      }),
    ),
  );
}

/** The versions that all modern targets know, of the modern era alone. */
function intersection(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...rest] = lists;
  return first.filter(
    (version) => isModernVersion(version) && rest.every((list) => list.includes(version)),
  );
}
