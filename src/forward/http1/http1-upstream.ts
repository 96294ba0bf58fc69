import type { HeaderFields } from '../../accept/request-head.ts';
import type { RefusalCode } from '../../errors.ts';
import type { TargetPlan } from '../../plan.ts';
import { targetAuthority } from '../target-authority.ts';
import type { UpstreamLimits } from '../upstream-limits.ts';
import type { Upstream, UpstreamAnswer, UpstreamCall, UpstreamRequest } from '../upstream.ts';
import {
  Connection,
  type ConnectionOwner,
  type ConnectionUser,
  type RequestFate,
} from './connection.ts';
import { createDeadlines, type Awaited, type Deadlines } from '../../timers/deadlines.ts';
import { oldestConnectionMs } from '../oldest-connection.ts';
import { createIdleConnections } from './idle-connections.ts';
import { LineMemory } from './line-memory.ts';
import { requestHead } from './write-request.ts';

/** Methods that may be sent again when nobody knows what became of the first time (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Header fields of one answer; some servers set many cookies. */
const MAX_ANSWER_FIELDS = 256;

const FINISHED_CALL: UpstreamCall = { abort: () => undefined, resume: () => undefined };

/**
 * Opens the way to one target over HTTP/1.1 in plain TCP, with as little work per request as possible.
 *
 * A request takes the unused connection that was used last, or a new one; there is no queue. When a
 * connection that has served before ends without an octet of an answer (the server was about to close
 * it), a request of an idempotent method is sent once more on a new connection. A POST that was written never is:
 * nobody knows whether the server has acted on it.
 *
 * @param backendName `namespace/name` of the Backend, for the log
 * @param target without TLS
 */
export function createHttp1Upstream(
  backendName: string,
  target: TargetPlan,
  limits: UpstreamLimits,
): Upstream {
  const options = {
    ...limits,
    host: target.host,
    port: target.port,
    maxHeaderFields: MAX_ANSWER_FIELDS,
    knownLines: new LineMemory(),
  };
  const monotonicNow = (): number => performance.now();
  const idle = createIdleConnections<Connection>(limits.idleTimeoutMs, monotonicNow);
  const deadlines = createDeadlines<Call>(limits.headersTimeoutMs, (call) =>
    call.giveUp('UPSTREAM_TIMEOUT', `no answer within ${limits.headersTimeoutMs} ms`),
  );
  const maxAgeMs = oldestConnectionMs(target, limits);
  let inFlight = 0;
  let isClosed = false;

  const owner: ConnectionOwner = {
    onReusable(connection, keepForMs) {
      // A request that began before a reload may end after it.
      if (isClosed) connection.destroy();
      else if (maxAgeMs === Infinity) idle.put(connection, keepForMs);
      else {
        const leftMs = connection.createdAtMs + maxAgeMs - monotonicNow();
        if (leftMs > 0) idle.put(connection, Math.min(keepForMs, leftMs));
        else connection.destroy();
      }
    },
    onIdleEnd: (connection) => idle.remove(connection),
  };
  const ways: Ways = {
    deadlines,
    connect: () => new Connection(options, owner, monotonicNow()),
    onOver: () => (inFlight -= 1),
  };

  return {
    backendName,
    targetName: target.name,
    path: target.path,
    authority: targetAuthority(target),
    request(request, answer) {
      if (inFlight >= limits.maxConnections) {
        answer.onFailure('UPSTREAM_OVERLOADED', `${inFlight} requests in flight`);
        return FINISHED_CALL;
      }
      const head = requestHead(request);
      if (head === null) {
        answer.onFailure('INTERNAL', 'the request can not be written');
        return FINISHED_CALL;
      }
      inFlight += 1;
      const call = new Call(request, head, answer, ways);
      call.start(idle.take() ?? ways.connect());
      return call;
    },
    close() {
      isClosed = true;
      idle.destroyAll();
    },
  };
}

/** What the calls of one upstream share. */
interface Ways {
  readonly deadlines: Deadlines<Call>;
  readonly connect: () => Connection;
  readonly onOver: () => void;
}

/** One request on its way: a connection on one side, an {@link UpstreamAnswer} on the other. */
class Call implements UpstreamCall, ConnectionUser, Awaited<Call> {
  before: Call | null = null;
  after: Call | null = null;
  isLinked = false;
  dueAtRing = 0;

  readonly #answer: UpstreamAnswer;
  readonly #ways: Ways;
  /** Needed until there is an answer. */
  #request: UpstreamRequest | null;
  #head: string;
  #connection: Connection | null = null;
  /** On a connection before this one. */
  #wasSent = false;

  constructor(request: UpstreamRequest, head: string, answer: UpstreamAnswer, ways: Ways) {
    this.#request = request;
    this.#head = head;
    this.#answer = answer;
    this.#ways = ways;
  }

  start(connection: Connection): void {
    const request = this.#request;
    if (request === null) return;
    this.#connection = connection;
    if (!request.hasTimeout && !this.isLinked) this.#ways.deadlines.add(this);
    connection.send(request.method, this.#head, request.body, this);
  }

  abort(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#finish();
    connection.destroy();
  }

  resume(): void {
    this.#connection?.resume();
  }

  giveUp(code: RefusalCode, detail: string): void {
    this.abort();
    this.#answer.onFailure(code, detail);
  }

  onHead(status: number, headers: HeaderFields): void {
    this.#ways.deadlines.remove(this);
    // A stream may go on for hours, and needs neither.
    this.#request = null;
    this.#head = '';
    this.#answer.onHead(status, headers);
  }

  onData(piece: Uint8Array, isLast: boolean): boolean {
    return this.#answer.onData(piece, isLast);
  }

  onComplete(): void {
    this.#finish();
    this.#answer.onEnd();
  }

  onLost(code: RefusalCode, detail: string, fate: RequestFate): void {
    const method = this.#request?.method ?? '';
    if (fate === 'stale' || (fate === 'unanswered' && IDEMPOTENT.has(method))) {
      // A new connection is never reported in this way, so that there is no third try.
      this.#wasSent = fate === 'unanswered';
      this.start(this.#ways.connect());
      return;
    }
    this.#finish();
    this.#answer.onFailure(code, detail, fate === 'unsent' && !this.#wasSent);
  }

  #finish(): void {
    this.#connection = null;
    this.#ways.deadlines.remove(this);
    this.#ways.onOver();
  }
}
