import { errors, Pool, type Dispatcher } from 'undici';
import type { HeaderFields } from '../accept/request-head.ts';
import type { RefusalCode } from '../errors.ts';
import type { TargetPlan } from '../plan.ts';
import { createDeadlines, type Awaited, type Deadlines } from '../timers/deadlines.ts';
import { connectOptions, sentServerName } from './connect-options.ts';
import { oldestConnectionMs } from './oldest-connection.ts';
import { targetAuthority } from './target-authority.ts';
import { upstreamFailure } from './upstream-failure.ts';
import { MAX_INTERIM_ANSWERS, type UpstreamLimits } from './upstream-limits.ts';
import type { Upstream, UpstreamAnswer, UpstreamCall, UpstreamRequest } from './upstream.ts';

/**
 * Opens the way to one target over HTTP/1.1, with TLS where the plan asks for it.
 *
 * @param backendName `namespace/name` of the Backend, for the log
 */
export function createUndiciUpstream(
  backendName: string,
  target: TargetPlan,
  limits: UpstreamLimits,
): Upstream {
  const { tls } = target;
  const authority = targetAuthority(target);
  if (tls?.invalid != null) return refusingUpstream(backendName, target, tls.invalid);

  const openPool = (): Pool =>
    new Pool(`${tls === null ? 'http' : 'https'}://${authority}`, {
      connections: limits.maxConnections,
      pipelining: 1,
      // undici begins anew with each interim answer: ours ends whatever comes.
      headersTimeout: 0,
      // A stream may be silent for as long as it likes.
      bodyTimeout: 0,
      keepAliveTimeout: limits.idleTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      autoSelectFamily: true,
      connect: connectOptions(tls, limits.connectTimeoutMs),
    });
  let pool = openPool();
  // A pool of undici knows no monotonic clock, and would keep an account of each connection that is past its time.
  const maxAgeMs = oldestConnectionMs(target, limits);
  let renewAtMs = performance.now() + maxAgeMs;
  // Left to itself undici would take the name from each request's Host header, and reconnect for another.
  const perRequest = tls === null ? {} : { servername: sentServerName(tls) };
  const { headersTimeoutMs } = limits;
  const deadlines = createDeadlines<Call>(headersTimeoutMs, (call) =>
    call.giveUp('UPSTREAM_TIMEOUT', `no answer within ${headersTimeoutMs} ms`),
  );
  let inFlight = 0;
  let isClosed = false;

  /** What is under way ends where it is; new connections resolve the name anew. */
  function renew(): void {
    closePool(pool);
    pool = openPool();
    renewAtMs = performance.now() + maxAgeMs;
  }

  return {
    backendName,
    targetName: target.name,
    path: target.path,
    authority,
    request(request, answer) {
      if (inFlight >= limits.maxConnections) {
        answer.onFailure('UPSTREAM_OVERLOADED', `${inFlight} requests in flight`);
        return FINISHED_CALL;
      }
      inFlight += 1;
      const call = new Call(answer, deadlines, () => (inFlight -= 1));
      if (!request.hasTimeout) deadlines.add(call);
      // A request that began before a reload may get here after it.
      if (isClosed) pool = openPool();
      else if (maxAgeMs !== Infinity && performance.now() >= renewAtMs) renew();
      pool.dispatch(
        {
          method: request.method,
          path: request.path,
          headers: request.headers,
          body: request.body,
          ...perRequest,
        },
        call,
      );
      if (isClosed) closePool(pool);
      else if (call.isOver) {
        // undici refused the request itself, and would never again use the connection it had in mind.
        closePool(pool);
        pool = openPool();
      }
      return call;
    },
    close() {
      isClosed = true;
      closePool(pool);
    },
  };
}

function closePool(pool: Pool): void {
  void pool.close().catch(() => undefined);
}

const FINISHED_CALL: UpstreamCall = { abort: () => undefined, resume: () => undefined };

function refusingUpstream(backendName: string, target: TargetPlan, why: string): Upstream {
  return {
    backendName,
    targetName: target.name,
    path: target.path,
    authority: targetAuthority(target),
    request(_request: UpstreamRequest, answer: UpstreamAnswer) {
      answer.onFailure('UPSTREAM_TLS_INVALID', why);
      return FINISHED_CALL;
    },
    close: () => undefined,
  };
}

/** One request on its way: undici's handler on one side, an {@link UpstreamAnswer} on the other. */
class Call implements Dispatcher.DispatchHandler, UpstreamCall, Awaited<Call> {
  before: Call | null = null;
  after: Call | null = null;
  isLinked = false;
  dueAtRing = 0;

  readonly #answer: UpstreamAnswer;
  readonly #deadlines: Deadlines<Call>;
  readonly #onOver: () => void;
  #interimAnswers = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #aborted = false;
  /** Nothing more will be reported. */
  isOver = false;

  constructor(answer: UpstreamAnswer, deadlines: Deadlines<Call>, onOver: () => void) {
    this.#answer = answer;
    this.#deadlines = deadlines;
    this.#onOver = onOver;
  }

  abort(): void {
    this.#aborted = true;
    this.#deadlines.remove(this);
    // Before undici has found a connection there is no controller: onRequestStart aborts then.
    this.#controller?.abort(new Error('aborted'));
  }

  giveUp(code: RefusalCode, detail: string): void {
    if (this.isOver || this.#aborted) return;
    this.abort();
    this.#answer.onFailure(code, detail);
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new Error('aborted'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#aborted) return;
    if (status < 200) {
      this.#interimAnswers += 1;
      if (this.#interimAnswers <= MAX_INTERIM_ANSWERS) return;
      controller.abort(new errors.HTTPParserError('too many interim answers'));
      return;
    }
    this.#deadlines.remove(this);
    this.#answer.onHead(status, rawFields(controller.rawHeaders));
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#aborted) return;
    if (!this.#answer.onData(piece)) controller.pause();
  }

  onResponseEnd(): void {
    this.#finish();
    if (!this.#aborted) this.#answer.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish();
    if (this.#aborted) return;
    const { code, detail } = upstreamFailure(error);
    // undici takes up a request when it has a connection to write it to.
    this.#answer.onFailure(code, detail, this.#controller === null);
  }

  #finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#deadlines.remove(this);
    this.#onOver();
  }
}

/** Names in lower case and values octet by octet, as they came. */
function rawFields(raw: Dispatcher.DispatchController['rawHeaders']): HeaderFields {
  if (!Array.isArray(raw)) return [];
  return raw.map((entry, index) => {
    const text = typeof entry === 'string' ? entry : entry.toString('latin1');
    return index % 2 === 0 ? text.toLowerCase() : text;
  });
}
