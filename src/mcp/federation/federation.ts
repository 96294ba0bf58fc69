/**
 * A Backend with several targets is one MCP server to its clients.
 *
 * **Form.** A federation yields for each exchange an `Upstream`, which composes those of the targets, so that all
 * that forwarding does (timeouts, filters, sealing of the session id, abort) works on it unchanged. It speaks
 * Streamable HTTP on both sides.
 *
 * **Names** (`names.ts`, `locate.ts`). Tools and prompts are `target_name`, resources `target+uri`, wherever they
 * stand in messages; rules see the original names and the target. The octets of messages are spliced, never written
 * anew. In mode Never names stay, and the lists of the targets tell who has what.
 *
 * **Sessions** (`session-text.ts`, `legacy-sessions.ts`). The session id of the upstream side is a text that holds
 * the sessions at all targets and how the client introduced itself; the gate seals it as any other, so replicas
 * share nothing. A target that has forgotten its session, or was not there before, gets a new one, and the client a
 * new id with the answer; clients that keep the old one are helped by a bounded memory of this worker.
 *
 * **Requests** (`route-*.ts`). A request that names an object goes to its target, and the answer streams back.
 * `initialize`, `server/discover`, lists and `logging/setLevel` go to all, each target with a time of its own, and
 * the answers are merged; FailClosed fails as a whole where one target fails, FailOpen leaves it out and says so in
 * the log. `ping` is answered here: it asks for this server. Ids and progress tokens of servers cross sealed with the
 * name of their target (`sealed-ids.ts`), so that no target can speak for another, and any worker can send the
 * client's answer back.
 *
 * **Streams** (`get-streams.ts`). The client's one GET stream is made of those of all targets.
 *
 * **Eras** (`eras/`). Targets are asked in the era of the client where they know it, else requests are adapted.
 */

import { headerValue } from '../../accept/request-head.ts';
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../forward/upstream.ts';
import type { JsonObject } from '../../json/read-json.ts';
import type { Milliseconds } from '../../units.ts';
import type { McpMessage } from '../message.ts';
import { CLIENT_CAPABILITIES } from '../protocol-version.ts';
import type { SealOwner } from '../seal-binding.ts';
import type { Sealer } from '../seal.ts';
import { SESSION_HEADER } from '../session.ts';
import { errorMessage, resultMessage } from './answers.ts';
import { CallScope } from './call-scope.ts';
import { ClientAnswer } from './client-answer.ts';
import { endSession } from './end-session.ts';
import { createModernSessions } from './eras/modern-sessions.ts';
import { routeDiscover } from './eras/route-discover.ts';
import { routeListen } from './eras/route-listen.ts';
import { failureReason, type FailureReason } from './failure-reason.ts';
import type { FederatedCall } from './federated-call.ts';
import type { FederationMemory } from './federation-memory.ts';
import type { FailureMode, FederationParts } from './federation-parts.ts';
import { openGetStreams } from './get-streams.ts';
import { createLegacySessions } from './legacy-sessions.ts';
import type { McpKind } from '../../authorize/mcp-members.ts';
import type { LocatedObject } from './names.ts';
import { learnNames, listsToLearn } from './learn-names.ts';
import { locateByPrefix, type LocateFor } from './locate.ts';
import { createNameIndex } from './name-index.ts';
import { mergedLists } from './merge-lists.ts';
import { nameOf, objectKindOf } from './object-kind.ts';
import { refuseMethod, routeCall } from './route-call.ts';
import { routeInitialize } from './route-initialize.ts';
import { routeList } from './route-list.ts';
import { routeLogLevel } from './route-log-level.ts';
import { routeNotification } from './route-notification.ts';
import { routeResponse } from './route-response.ts';
import { createIdSealer } from './sealed-ids.ts';
import { boundClientParams, readSession, type ClientParams } from './session-text.ts';

/** How long the rest of a target's answer may take once the client has its own. */
const REST_MS: Milliseconds = 1000;

const NO_META: JsonObject = Object.freeze({});

const NOBODY: UpstreamAnswer = Object.freeze({
  onHead: () => undefined,
  onData: () => true,
  onEnd: () => undefined,
  onFailure: () => undefined,
});

export interface FederationOptions {
  /** `namespace/name` of the Backend. */
  readonly backend: string;
  /** Of the gate, for `serverInfo`. */
  readonly version: string;
  /** In the order of the resources; at least one. */
  readonly targets: readonly Upstream[];
  /** Whether names carry their target's name. */
  readonly isPrefixed: boolean;
  readonly failureMode: FailureMode;
  /** What a target is given in a fan-out. */
  readonly timeoutMs: Milliseconds;
  readonly sealer: Sealer;
  readonly memory: FederationMemory;
  /** Milliseconds that only grow. */
  readonly monotonicNow: () => number;
  /** A session at a target was opened again, or late. */
  readonly onReinitialised: (backend: string, target: string) => void;
  /** A target did not do its part. */
  readonly onTargetFailed: (backend: string, target: string, reason: FailureReason) => void;
  /** Told of the tools that a target lists, under the names that clients use. */
  readonly onTools: (backend: string, target: string, names: readonly string[]) => void;
  readonly onBug: (where: string, error: unknown) => void;
}

/** What is known of one request before it goes on. */
export interface FederatedRequest {
  readonly owner: SealOwner;
  /** `null` for GET and DELETE. */
  readonly message: McpMessage | null;
  /** What the session id of the client holds; `null` where it sent none. */
  readonly sessionText: string | null;
  /** Where the objects are that the message names, as the policies were asked: what is decided on is what is sent. */
  readonly locate: (kind: McpKind, name: string) => LocatedObject | null;
  /** Whether the policies, as they are now, allow the caller to subscribe to a resource. */
  readonly maySubscribe: (at: LocatedObject) => boolean;
  /** For the log's `detail`. */
  readonly note: (text: string) => void;
}

export interface Federation {
  /** Whose object a client's name means; `null` where no target has it. */
  readonly locate: LocateFor;
  /**
   * Asks the targets what they have, where that must be known before it can be decided on a message.
   *
   * @param baseOf makes the request as the route would send it
   * @returns `null` where nothing has to be asked
   */
  readonly learn: (
    request: FederatedRequest,
    baseOf: () => UpstreamRequest | null,
  ) => Promise<void> | null;
  /** What stands for all targets in one exchange. */
  upstreamFor(request: FederatedRequest): Upstream;
}

/** Makes the federation of a backend's targets. */
export function createFederation(options: FederationOptions): Federation {
  const { backend, targets, memory, sealer, timeoutMs, monotonicNow, onReinitialised } = options;
  const names = options.isPrefixed ? null : createNameIndex(backend, memory.names, monotonicNow);
  const locate: LocateFor =
    names === null ? locateByPrefix(targets.map(({ targetName }) => targetName)) : names.locate;
  const modern = createModernSessions({
    backend,
    timeoutMs,
    known: memory.known,
    pooled: memory.pooled,
    monotonicNow,
    onReinitialised,
  });
  const legacy = createLegacySessions({
    backend,
    timeoutMs,
    renewed: memory.renewed,
    settings: memory.settings,
    onReinitialised,
  });
  const parts: FederationParts = {
    backend,
    version: options.version,
    targets,
    isPrefixed: options.isPrefixed,
    failureMode: options.failureMode,
    timeoutMs,
    sealer,
    ids: createIdSealer(sealer, backend),
    legacy,
    modern,
    settings: memory.settings,
    inFlight: memory.inFlight,
    inputs: memory.inputs,
    locate,
    names,
    onTargetFailed: (name, target, words) =>
      options.onTargetFailed(name, target, failureReason(words)),
    onTools: options.onTools,
  };

  async function route(call: FederatedCall, request: FederatedRequest): Promise<void> {
    const { answer, base, session } = call;
    // HTTP+SSE makes GET and DELETE in the place of a message that went before.
    const message = base.method === 'POST' ? request.message : null;
    if (message === null) {
      if (session === null) refuseWithoutSession(call, null);
      else if (base.method === 'GET') openGetStreams(parts, call);
      else await endSession(parts, call);
      return;
    }
    const sessions = message.era === 'modern' ? modern : legacy;
    if (message.kind === 'request') {
      const { method, id } = message;
      const list = mergedLists.get(method);
      if (method === 'initialize' && message.era === 'legacy') {
        await routeInitialize(parts, call, message, (text) => answer.setSession(text));
      } else if (method === 'ping') {
        answer.respond(
          200,
          resultMessage(id, message.era === 'modern' ? '{"resultType":"complete"}' : '{}'),
        );
      } else if (method === 'server/discover' && message.era === 'modern') {
        await routeDiscover(parts, modern, call, message);
      } else if (message.era === 'legacy' && session === null) {
        refuseWithoutSession(call, id);
      } else if (list !== undefined) {
        await routeList(parts, sessions, call, message, list);
      } else if (method === 'logging/setLevel' && message.era === 'legacy') {
        await routeLogLevel(parts, sessions, call, message);
      } else if (message.object?.type === 'resources' && message.era === 'modern') {
        await routeListen(parts, modern, call, message);
      } else if (message.object !== null && message.object.type !== 'resources') {
        await routeCall(parts, sessions, call, message);
      } else {
        refuseMethod(call, message);
      }
      return;
    }
    if (session === null) {
      if (message.era === 'modern') answer.send(202, [], null);
      else refuseWithoutSession(call, null);
    } else if (message.kind === 'response') {
      await routeResponse(parts, sessions, call);
    } else {
      await routeNotification(parts, sessions, call, message);
    }
  }

  function callOf(
    request: FederatedRequest,
    base: UpstreamRequest,
    clientAnswer: UpstreamAnswer,
  ): FederatedCall {
    const scope = new CallScope();
    const text = sessionTextOf(request, base);
    const session = text === null ? null : readSession(text);
    const answer = new ClientAnswer(
      clientAnswer,
      () => legacy.renewedText({ session, base }),
      () => {
        setTimeout(() => scope.abort(), REST_MS).unref();
      },
    );
    const client = session?.client ?? clientOf(request.message);
    const { locate: locateAsDecided, maySubscribe, note } = request;
    return { scope, base, answer, session, client, locate: locateAsDecided, maySubscribe, note };
  }

  function start(
    request: FederatedRequest,
    base: UpstreamRequest,
    clientAnswer: UpstreamAnswer,
  ): CallScope {
    const call = callOf(request, base, clientAnswer);
    const { answer, scope } = call;
    if (sessionTextOf(request, base) !== null && call.session === null) {
      // Sealed before the backend became a federation.
      answer.send(404, ['content-type', 'text/plain'], Buffer.from('Session not found'));
      return scope;
    }
    route(call, request).catch((error: unknown) => {
      options.onBug('federation', error);
      answer.fail('INTERNAL', 'federation');
    });
    return scope;
  }

  function learn(
    request: FederatedRequest,
    baseOf: () => UpstreamRequest | null,
  ): Promise<void> | null {
    const { message } = request;
    if (names === null || message === null) return null;
    const lists = listsToLearn(names, request.owner, message);
    const base = lists.length === 0 ? null : baseOf();
    if (base === null) return null;
    const call = callOf(request, base, NOBODY);
    if (call.session === null && message.era === 'legacy') return null;
    const sessions = message.era === 'modern' ? modern : legacy;
    return learnNames(parts, sessions, call, names, lists).finally(() => call.scope.abort());
  }

  return {
    locate,
    learn,
    upstreamFor: (request) => ({
      backendName: backend,
      targetName: targetNameOf(request.message, request.owner, locate),
      path: '/',
      authority: '',
      request: (base, answer) => start(request, base, answer),
      close: () => undefined,
    }),
  };
}

/** HTTP+SSE knows the session only when the request is made. */
function sessionTextOf(request: FederatedRequest, base: UpstreamRequest): string | null {
  return headerValue(base.headers, SESSION_HEADER) ?? request.sessionText;
}

/** For the log: the target that a request is for, or `*`. */
function targetNameOf(message: McpMessage | null, owner: SealOwner, locate: LocateFor): string {
  if (message?.kind !== 'request' || message.object === null) return '*';
  const name = nameOf(message.object);
  return (name === null ? null : locate(owner, objectKindOf(message), name)?.target) ?? '*';
}

function clientOf(message: McpMessage | null): ClientParams {
  const meta = (message?.kind === 'request' ? message.meta : null) ?? NO_META;
  return boundClientParams({
    capabilities: meta[CLIENT_CAPABILITIES],
    clientInfo: meta['io.modelcontextprotocol/clientInfo'],
  });
}

function refuseWithoutSession({ answer }: FederatedCall, id: string | number | null): void {
  const text = 'Bad Request: Mcp-Session-Id header is required';
  answer.respond(400, errorMessage(id, -32000, text));
}
