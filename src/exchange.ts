import type { RequestBody } from './accept/request-body.ts';
import type { HeaderFields, RequestHead } from './accept/request-head.ts';
import type { Responder } from './accept/responder.ts';
import type { TokenLocation } from './authenticate/authenticator.ts';
import type { PolicySubject } from './authorize/authorizer.ts';
import type { Principal } from './authenticate/principal.ts';
import type { Refusal } from './errors.ts';
import type { HeadFindings } from './head-findings.ts';
import type { AnswerFilter } from './mcp/answer-filter.ts';
import type { HiddenName } from './mcp/hidden-name.ts';
import type { AnswerObserver } from './mcp/tool-list-observer.ts';
import type { McpMessage } from './mcp/message.ts';
import type { MessageCarrier } from './mcp/sse-downstream/message-carrier.ts';
import type { SealOwner } from './mcp/seal-binding.ts';
import type { OpenedSession } from './mcp/session.ts';
import type { ChosenBackend } from './forward/backend-chooser.ts';
import type { Upstream } from './forward/upstream.ts';
import type { ListenerTable } from './route/listener-table.ts';
import type { Linked } from './linked-list.ts';
import type { ListenerRuntime, RuleRuntime } from './runtime.ts';
import type { RunningAnswer } from './streams/running-answer.ts';
import type { StreamEndReason } from './streams/stream-ending.ts';
import { fewEachTurn, type Patient } from './timers/few-each-turn.ts';
import type { EpochMilliseconds } from './units.ts';
import type { Verdict } from './verdict.ts';

const ANONYMOUS: SealOwner = Object.freeze({ kind: 'anonymous' });
const NO_EDITS: readonly HeaderEdit[] = Object.freeze([]);
const NO_PRINCIPALS: readonly Principal[] = Object.freeze([]);
const NO_LOCATIONS: readonly TokenLocation[] = Object.freeze([]);

/** A request header field that goes upstream with another value, or, where that is `null`, not at all. */
export interface HeaderEdit {
  /** Lower case. */
  readonly name: string;
  /** Octets as Latin-1. */
  readonly value: string | null;
}

/**
 * One request in flight and everything that the stages learn about it. Every field is set in the
 * constructor, so that all exchanges share one shape and the hot path stays monomorphic.
 */
export class Exchange implements Linked<Exchange>, Patient {
  /** The exchanges in flight. */
  before: Exchange | null = null;
  after: Exchange | null = null;
  isLinked = false;

  readonly head: RequestHead;
  readonly responder: Responder;
  /** Collects the body; `null` where the request has none. */
  readonly requestBody: RequestBody | null;
  /** The listeners of the port, as they were when the request arrived; a reload does not change them. */
  readonly listeners: ListenerTable;
  /** The TLS server name pattern the connection was opened with, or `null`. */
  readonly serverName: string | null;
  readonly startedAtMs: EpochMilliseconds;
  /** From `performance.now()`: durations must not depend on the wall clock. */
  readonly startedAtMonotonicMs: number;

  /** Set by whoever accepts: what was found out about such a head before; `null` where nothing is remembered. */
  findings: HeadFindings | null = null;

  /** Set by the pipeline: the stage that runs, and what goes on after one that waits. */
  stageIndex = 0;
  onProceed: ((exchange: Exchange, verdict: Verdict) => void) | null = null;

  /** Handed over by another worker, which has counted it. */
  isRelayed = false;
  /** Set by `admit` and the stages like it: what the exchange is counted under until it is over. */
  admitted = false;
  countedAddress: string | null = null;
  countedPrincipal: string | null = null;
  countedStream: string | null = null;

  /** Set by `find-listener`. */
  listener: ListenerRuntime | null = null;
  /** Set by `find-route`. */
  rule: RuleRuntime | null = null;
  /** Length of the path prefix that the chosen match consumed, for ReplacePrefixMatch. */
  matchedPrefixLength = 0;

  /** Set by `authenticate`; `null` where no policy asked or a missing token is allowed. */
  principal: Principal | null = null;
  /** Set by `authenticate` where several policies found one: all but the last. */
  earlierPrincipals: readonly Principal[] = NO_PRINCIPALS;
  /** Set by `authenticate`: where tokens stood that must not go upstream. */
  tokensToRemove: readonly TokenLocation[] = NO_LOCATIONS;
  /** Set by `authenticate`: the field whose token goes upstream (keepToken), or the empty string. */
  keptTokenHeader = '';

  /** Set by `read-body`: the whole request body; `mcp` puts in the upstream's ids. */
  body: Buffer | null = null;

  /** Set by `choose-backend`. */
  backend: ChosenBackend | null = null;
  /** Set by `choose-backend`; `mcp` puts another in its place where several servers answer as one. */
  upstream: Upstream | null = null;

  /** Set by `mcp`: to whom the ids belong that the client gets to see. */
  owner: SealOwner = ANONYMOUS;
  /** Set by `mcp`: what the body of a request to an MCP backend says. */
  message: McpMessage | null = null;
  /** Set by `mcp`: the session that the request belongs to, or `null`. */
  session: OpenedSession | null = null;
  /** Set by `mcp`: fields of the client whose value is another to the upstream. */
  headerEdits: readonly HeaderEdit[] = NO_EDITS;
  /** Set by `mcp`: a denial that the upstream itself answers, as it answers for what it does not have. */
  denial: Refusal | null = null;
  /** Set by `mcp` with `denial`: what the upstream is told that the denied object is called. */
  hiddenName: HiddenName | null = null;
  /** Set by `mcp`: takes out of the answer what the caller may not see; `null` where all of it may pass. */
  answerFilter: AnswerFilter | null = null;
  /** Set by `mcp`: reads the answer along, for the metrics; `null` where nobody has to. */
  answerObserver: AnswerObserver | null = null;
  /** Set by `mcp`: the upstream's answer has opened a session. */
  hasOpenedSession = false;
  /** Set by `mcp`: the answer is the stream of the HTTP+SSE transport (MCP 2024-11-05). */
  isSseTransport = false;

  /** Set by `forward`: the upstream's answer as it goes on, for whoever has to end it. */
  answer: RunningAnswer | null = null;
  /** Set where the answer was ended because the right to it had ended. */
  streamEnd: StreamEndReason | null = null;
  /** Set by `join-sse-stream`: brings the answer to the stream of HTTP+SSE; `null` where it belongs here. */
  carrier: MessageCarrier | null = null;
  /** Set by `carry-sse`: the answer goes to that stream, and is counted when it is over. */
  isCarried = false;

  /** For the log's `detail`, where the answer is no refusal: such as a server that was left out. */
  note: string | null = null;
  /** Set by `forward`: the answer is a stream of events. */
  isEventStream = false;
  /** When the upstream was asked and when its answer began, from `performance.now()`; 0: never. */
  upstreamStartedAtMonotonicMs = 0;
  upstreamAnsweredAtMonotonicMs = 0;

  /** How the exchange ended; `record` reads both. */
  refusal: Refusal | null = null;
  /** The status sent to the client; 0 before it is known. */
  status = 0;

  constructor(
    head: RequestHead,
    responder: Responder,
    requestBody: RequestBody | null,
    listeners: ListenerTable,
    serverName: string | null,
    startedAtMs: EpochMilliseconds,
    startedAtMonotonicMs: number,
  ) {
    this.head = head;
    this.responder = responder;
    this.requestBody = requestBody;
    this.listeners = listeners;
    this.serverName = serverName;
    this.startedAtMs = startedAtMs;
    this.startedAtMonotonicMs = startedAtMonotonicMs;
  }

  /** Goes on after a stage that has said WAITING. */
  proceed(verdict: Verdict): void {
    this.onProceed?.(this, verdict);
  }

  /** What authorization rules may look at, of HTTP and of MCP alike. */
  policySubject(): PolicySubject {
    const { head, principal, startedAtMs } = this;
    return {
      principal,
      method: head.method,
      scheme: head.scheme,
      host: head.host,
      path: head.path,
      query: head.query,
      headers: head.headers,
      remoteAddress: head.remoteAddress,
      remotePort: head.remotePort,
      startedAtMs,
    };
  }

  /**
   * Answers in the gate's own words, once it has its turn: who asks for such answers need not be known, and must not
   * hold up who is.
   */
  answerInTurn(status: number, headers: HeaderFields, body: string): void {
    this.status = status;
    this.requestBody?.discard();
    fewEachTurn({ onTurn: () => this.responder.send(status, headers, body) });
  }

  /** Ends the exchange as {@link fail} does, once it has its turn: who is refused must not hold up who is not. */
  failInTurn(refusal: Refusal): void {
    this.refusal = refusal;
    this.requestBody?.discard();
    fewEachTurn(this);
  }

  onTurn(): void {
    if (this.refusal !== null) this.fail(this.refusal);
  }

  /**
   * Ends the exchange in a refusal: answers with it, or, where the answer has begun, cuts the connection,
   * so that nobody takes half an answer for a whole one.
   */
  fail(refusal: Refusal): void {
    const { responder } = this;
    if (responder.finished) return;
    this.refusal = refusal;
    this.requestBody?.discard();
    if (responder.started) {
      responder.cut();
      return;
    }
    if (this.carrier?.refuse(this, refusal) === true) return;
    this.status = refusal.status;
    const headers = ['content-type', refusal.contentType, ...refusal.headers];
    const cors = this.rule?.cors;
    if (cors != null) headers.push(...cors.responseHeaders(this.head));
    if (refusal.kind.closesConnection) {
      responder.sendAndClose(refusal.status, headers, refusal.body);
    } else {
      responder.send(refusal.status, headers, refusal.body);
    }
  }
}
