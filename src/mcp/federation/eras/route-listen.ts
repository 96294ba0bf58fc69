import type { HeaderFields } from '../../../accept/request-head.ts';
import type { RefusalCode } from '../../../errors.ts';
import type { Upstream, UpstreamAnswer } from '../../../forward/upstream.ts';
import { isJsonObject, readJson, type JsonObject } from '../../../json/read-json.ts';
import type { Bytes, Milliseconds } from '../../../units.ts';
import { denialAnswer } from '../../denial-answer.ts';
import { createEventSplitter } from '../../event-stream.ts';
import { findValues } from '../../find-values.ts';
import type { McpRequest } from '../../message.ts';
import { isModernVersion } from '../../protocol-version.ts';
import { splice } from '../../splice.ts';
import { errorMessage, resultMessage, unavailable } from '../answers.ts';
import { fanOut } from '../fan-out.ts';
import { isFailed, type FederatedCall, type TargetSessions } from '../federated-call.ts';
import { failsWhole, type FederationParts, type TargetFailure } from '../federation-parts.ts';
import { envelopeTree, SUBSCRIPTION_ID } from '../message-trees.ts';
import { namePrefix, splitName } from '../names.ts';
import { bodyForm } from '../read-body.ts';
import { rewriteMessage } from '../rewrite-message.ts';
import { sendToTarget } from '../target-client.ts';
import { LegacyListening, mayTell, type ListeningSink } from './legacy-listening.ts';

const MAX_EVENT_BYTES: Bytes = 1024 * 1024;
/** Notifications that come before all targets have acknowledged. */
const MAX_HELD = 100;
const FIRST_WAIT_MS: Milliseconds = 1000;
const LONGEST_WAIT_MS: Milliseconds = 30_000;
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const LIMITS = Object.freeze({ maxDepth: 16, maxValues: 10_000 });
const TREES = [envelopeTree];
const FILTER = {
  members: {
    params: {
      members: {
        notifications: {
          members: { resourceSubscriptions: { label: 'uris' }, taskIds: { label: 'taskIds' } },
        },
      },
    },
  },
};

/**
 * Listens at all targets for a client (`subscriptions/listen`, MCP 2026-07-28), each with its own resources, and makes
 * one stream of theirs. It begins with one acknowledgement of what they honour together. Legacy targets know no such
 * stream; `LegacyListening` makes it of what they have. It ends when all of them have ended theirs, and with FailClosed
 * when one is lost: clients listen again. With FailOpen the gate listens again at the one that was lost.
 */
export async function routeListen(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  request: McpRequest,
): Promise<void> {
  const { base, answer, locate } = call;
  const uris = new Map<string, string[]>();
  for (const uri of wantedUris(request)) {
    const located = locate('resource', uri);
    if (located === null) {
      const { status, contentType, body } = denialAnswer(request, 'hide');
      answer.send(status, ['content-type', contentType], Buffer.from(body));
      return;
    }
    uris.set(located.target, [...(uris.get(located.target) ?? []), located.name]);
  }
  // As the gate has opened them: a target hears of its own alone.
  const tasks = wantedTasks(base.body).flatMap((id) => splitName('resource', id) ?? []);
  const found = await fanOut(parts.targets, async (upstream) => ({
    upstream,
    session: await sessions.get(call, upstream),
  }));
  if (call.scope.isOver) return;
  const failures = found.flatMap(({ upstream, session }) =>
    isFailed(session) ? [{ target: upstream.targetName, reason: session.reason }] : [],
  );
  if (failsWhole(parts, call, failures, found.length)) {
    answer.respond(200, errorMessage(request.id, unavailable.code, unavailable.message));
    return;
  }
  const starts = new Map<string, () => void>();
  const merged = new MergedListening(parts, call, request, (target) => starts.get(target)?.());
  for (const { upstream, session } of found) {
    if (isFailed(session)) continue;
    const target = upstream.targetName;
    const own = uris.get(target) ?? [];
    if (isModernVersion(session.version)) {
      const ownTasks = tasks.flatMap((task) => (task.target === target ? [task.name] : []));
      const body = bodyFor(base.body ?? Buffer.alloc(0), own, ownTasks);
      const asked = {
        method: 'POST' as const,
        body,
        sessionId: null,
        version: session.version,
        mcpMethod: request.method,
        mcpName: null,
      };
      starts.set(target, () => {
        const heard = new TargetListening(parts, call, request, upstream, merged);
        sendToTarget(call.scope, upstream, base, asked, heard, parts.timeoutMs);
      });
    } else if (mayTell(request, own, session.offers)) {
      const listening = { parts, call, request, upstream, uris: own };
      starts.set(target, () => void new LegacyListening(listening, merged).start());
    }
  }
  merged.begin(starts.size);
  for (const start of starts.values()) start();
}

/** As the client sent them; a URI in its canonical spelling is the same resource. */
function wantedUris({ params }: McpRequest): readonly string[] {
  const { notifications } = params;
  const uris = isJsonObject(notifications) ? notifications.resourceSubscriptions : undefined;
  return Array.isArray(uris)
    ? (uris as unknown[]).filter((uri): uri is string => typeof uri === 'string')
    : [];
}

function wantedTasks(body: Buffer | null): readonly string[] {
  const found = body === null ? -1 : findValues(body, FILTER);
  const value =
    typeof found === 'number' ? undefined : found.find(({ label }) => label === 'taskIds');
  if (body === null || value === undefined) return [];
  const { value: ids } = readJson(body.subarray(value.start, value.end), LIMITS);
  return Array.isArray(ids)
    ? (ids as unknown[]).filter((id): id is string => typeof id === 'string')
    : [];
}

/** The client's request with what of it concerns one target, under the target's own names. */
function bodyFor(body: Buffer, uris: readonly string[], taskIds: readonly string[]): Buffer {
  const found = findValues(body, FILTER);
  const edits = (typeof found === 'number' ? [] : found).map(({ label, start, end }) => ({
    start,
    end,
    text: JSON.stringify(label === 'uris' ? uris : taskIds),
  }));
  return splice(body, edits);
}

/** What the client hears of all targets together. */
class MergedListening implements ListeningSink {
  readonly #parts: FederationParts;
  readonly #call: FederatedCall;
  readonly #request: McpRequest;
  readonly #startAgain: (target: string) => void;
  #asked = 0;
  #unacknowledged = 0;
  #running = 0;
  /** Targets that were lost on the way, and how long the next try waits. */
  readonly #waitsMs = new Map<string, Milliseconds>();
  readonly #failures: TargetFailure[] = [];
  readonly #honoured: Record<string, unknown> = {};
  readonly #uris: string[] = [];
  readonly #taskIds: string[] = [];
  #held: Buffer[] | null = [];

  /** @param startAgain listens anew at a target that was lost */
  constructor(
    parts: FederationParts,
    call: FederatedCall,
    request: McpRequest,
    startAgain: (target: string) => void,
  ) {
    this.#parts = parts;
    this.#call = call;
    this.#request = request;
    this.#startAgain = startAgain;
  }

  /** Begins to wait for so many targets. */
  begin(targets: number): void {
    this.#asked = targets;
    this.#unacknowledged = targets;
    this.#running = targets;
    this.#begin();
  }

  acknowledged(target: string, notifications: JsonObject): void {
    if (this.#waitsMs.has(target)) {
      // The client was told when it was acknowledged first.
      this.#waitsMs.set(target, FIRST_WAIT_MS);
      return;
    }
    for (const [name, value] of Object.entries(notifications)) {
      if (value === true) this.#honoured[name] = true;
    }
    const { resourceSubscriptions: uris, taskIds } = notifications;
    for (const id of Array.isArray(taskIds) ? (taskIds as unknown[]) : []) {
      if (typeof id === 'string') this.#taskIds.push(namePrefix('resource', target) + id);
    }
    const prefix = this.#parts.isPrefixed ? namePrefix('resource', target) : '';
    for (const uri of Array.isArray(uris) ? (uris as unknown[]) : []) {
      if (typeof uri === 'string') this.#uris.push(prefix + uri);
    }
    this.#settleOne();
  }

  notification(message: Buffer): boolean {
    if (this.#held === null) return this.#call.answer.event(message);
    if (this.#held.length < MAX_HELD) this.#held.push(Buffer.from(message));
    return true;
  }

  /** @param failure `null` where the target has ended in good order */
  ended(target: string, failure: string | null, wasAcknowledged: boolean): void {
    if (failure !== null) {
      const failed = { target, reason: failure };
      const isLost = failsWhole(this.#parts, this.#call, [failed], this.#asked);
      if (this.#held === null) {
        if (isLost) this.#call.answer.end();
        else this.#startLater(target);
        return;
      }
      this.#failures.push(failed);
    }
    this.#running -= 1;
    if (!wasAcknowledged) this.#settleOne();
    if (this.#running === 0 && this.#held === null) this.#finish();
  }

  /** The others go on (FailOpen), and the client still believes that it hears of this one. */
  #startLater(target: string): void {
    const { scope } = this.#call;
    const waitMs = this.#waitsMs.get(target) ?? FIRST_WAIT_MS;
    this.#waitsMs.set(target, Math.min(LONGEST_WAIT_MS, waitMs * 2));
    const stop = (): void => clearTimeout(timer);
    const timer = setTimeout(() => {
      scope.forget(stop);
      if (!scope.isOver) this.#startAgain(target);
    }, waitMs);
    scope.onOver(stop);
  }

  #settleOne(): void {
    this.#unacknowledged -= 1;
    this.#begin();
  }

  #begin(): void {
    if (this.#unacknowledged > 0 || this.#held === null) return;
    const { answer } = this.#call;
    const { id } = this.#request;
    const { length } = this.#failures;
    const fails =
      length > 0 && (this.#parts.failureMode === 'FailClosed' || length === this.#asked);
    if (fails) {
      answer.respond(200, errorMessage(id, unavailable.code, unavailable.message));
      return;
    }
    const notifications = {
      ...this.#honoured,
      ...(this.#uris.length === 0 ? {} : { resourceSubscriptions: this.#uris }),
      ...(this.#taskIds.length === 0 ? {} : { taskIds: this.#taskIds }),
    };
    const params = { notifications, _meta: { [SUBSCRIPTION_ID]: id } };
    answer.event(Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: ACKNOWLEDGED, params })));
    for (const message of this.#held) answer.event(message);
    this.#held = null;
    if (this.#running === 0) this.#finish();
  }

  #finish(): void {
    const { id } = this.#request;
    const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_ID]: id } };
    this.#call.answer.respond(200, resultMessage(id, JSON.stringify(result)));
  }
}

/** The stream of one target. */
class TargetListening implements UpstreamAnswer {
  readonly #parts: FederationParts;
  readonly #call: FederatedCall;
  readonly #request: McpRequest;
  readonly #target: string;
  readonly #merged: MergedListening;
  readonly #splitter = createEventSplitter({ maxEventBytes: MAX_EVENT_BYTES });
  #status = 0;
  #isEvents = false;
  #isAcknowledged = false;
  #isOver = false;

  constructor(
    parts: FederationParts,
    call: FederatedCall,
    request: McpRequest,
    { targetName }: Upstream,
    merged: MergedListening,
  ) {
    this.#parts = parts;
    this.#call = call;
    this.#request = request;
    this.#target = targetName;
    this.#merged = merged;
  }

  onHead(status: number, headers: HeaderFields): void {
    this.#status = status;
    this.#isEvents = status === 200 && bodyForm(headers) === 'events';
  }

  onData(piece: Uint8Array): boolean {
    if (!this.#isEvents || this.#isOver) return true;
    let accepted = true;
    for (const { dataBytes } of this.#splitter.push(piece)) {
      if (dataBytes === null || dataBytes.length === 0) {
        accepted = this.#call.answer.comment() && accepted;
      } else {
        accepted = this.#message(dataBytes) && accepted;
      }
    }
    if (this.#splitter.fault !== null) this.#end(this.#splitter.fault);
    return accepted;
  }

  onEnd(): void {
    if (this.#isAcknowledged) this.#end('its stream ended');
    // A target that knows no such method has nothing to tell: that is no failure.
    else this.#end(this.#status >= 500 ? `HTTP status ${this.#status}` : null);
  }

  onFailure(code: RefusalCode, detail: string): void {
    this.#end(`${code}: ${detail}`);
  }

  #message(data: Buffer): boolean {
    const rewriting = rewriteMessage(data, {
      target: this.#target,
      owner: this.#call.base.owner,
      ids: this.#parts.ids,
      isPrefixed: this.#parts.isPrefixed,
      names: this.#parts.names,
      expected: { id: this.#request.id, clientRaw: null },
      trees: TREES,
      passesRequests: false,
    });
    if (rewriting.kind === 'response') this.#end(null);
    if (rewriting.kind === 'fault') this.#end(rewriting.fault);
    if (rewriting.kind !== 'notification') return true;
    const acknowledgement = readAcknowledgement(rewriting.message);
    if (acknowledgement === null) return this.#merged.notification(rewriting.message);
    if (!this.#isAcknowledged) {
      this.#isAcknowledged = true;
      this.#merged.acknowledged(this.#target, acknowledgement);
    }
    return true;
  }

  #end(failure: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#merged.ended(this.#target, failure, this.#isAcknowledged);
  }
}

function readAcknowledgement(message: Buffer): JsonObject | null {
  if (!message.includes('acknowledged')) return null;
  const { value } = readJson(message, LIMITS);
  if (!isJsonObject(value) || value.method !== ACKNOWLEDGED || !isJsonObject(value.params)) {
    return null;
  }
  const { notifications } = value.params;
  return isJsonObject(notifications) ? notifications : {};
}
