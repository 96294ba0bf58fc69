import type { HeaderFields } from '../accept/request-head.ts';
import type { RefusalCode } from '../errors.ts';
import type { Milliseconds } from '../units.ts';
import {
  createEndpointHealth,
  type EjectionLimits,
  type EndpointHealth,
} from './endpoint-health.ts';
import type {
  AbortReason,
  Upstream,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamRequest,
} from './upstream.ts';

/** How many endpoints one request is offered to at most. */
const MAX_ATTEMPTS = 3;

/** Failures that say something of the endpoint, and not of this process or of the request. */
const ENDPOINT_FAILURES: ReadonlySet<RefusalCode> = new Set([
  'UPSTREAM_NAME_UNRESOLVED',
  'UPSTREAM_PROTOCOL',
  'UPSTREAM_RESET',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_TLS_FAILED',
  'UPSTREAM_TLS_INVALID',
  'UPSTREAM_UNREACHABLE',
]);

/** What a proxy answers in place of a server that is not there (RFC 9110, 15.6.3 to 15.6.5). */
const GATEWAY_ERRORS: ReadonlySet<number> = new Set([502, 503, 504]);

export interface EndpointGroupOptions {
  readonly limits: EjectionLimits;
  /** Milliseconds that only ever grow. */
  readonly monotonicNow: () => Milliseconds;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
  /** @param authority host and port of the endpoint that was ejected */
  readonly onEjected: (backendName: string, authority: string) => void;
}

/** Several servers, each as good as the other, as one upstream. */
export interface EndpointGroup extends Upstream {
  /** How many endpoints are not ejected at present. */
  healthyCount(): number;
}

/**
 * Shares requests out among endpoints. One that fails several times in a row (no connection, a connection
 * that ended, no answer in time, an answer that is not HTTP, or 502, 503 and 504) is ejected for a while. A
 * request is offered to another endpoint only where nothing of it has left this process; what may have
 * had an effect is never sent twice.
 *
 * @param endpoints at least one; the group closes them
 */
export function createEndpointGroup(
  endpoints: readonly [Upstream, ...Upstream[]],
  { limits, monotonicNow, random, onEjected }: EndpointGroupOptions,
): EndpointGroup {
  const [first] = endpoints;
  const { backendName } = first;
  const health = createEndpointHealth(endpoints.length, limits, random());
  const ways: Ways = {
    endpoints,
    health,
    monotonicNow,
    fail(index) {
      if (health.failed(index, monotonicNow())) {
        onEjected(backendName, endpoints[index]?.authority ?? '');
      }
    },
  };
  return {
    backendName,
    targetName: first.targetName,
    path: first.path,
    authority: first.authority,
    request(request, answer) {
      const call = new Call(request, answer, ways);
      call.start();
      return call;
    },
    close() {
      for (const endpoint of endpoints) endpoint.close();
    },
    healthyCount: () => health.healthyCount(monotonicNow()),
  };
}

/** What the calls of one group share. */
interface Ways {
  readonly endpoints: readonly Upstream[];
  readonly health: EndpointHealth;
  readonly monotonicNow: () => Milliseconds;
  readonly fail: (index: number) => void;
}

/** One request on its way, at one endpoint after the other until one takes it. */
class Call implements UpstreamCall, UpstreamAnswer {
  readonly #answer: UpstreamAnswer;
  readonly #ways: Ways;
  /** Needed until it is answered. */
  #request: UpstreamRequest | null;
  readonly #tried: number[] = [];
  /** The endpoint that has the request now; `null` once it is over. */
  #index: number | null = null;
  #call: UpstreamCall | null = null;

  constructor(request: UpstreamRequest, answer: UpstreamAnswer, ways: Ways) {
    this.#request = request;
    this.#answer = answer;
    this.#ways = ways;
  }

  /** @returns false where no other endpoint is left to ask */
  start(): boolean {
    const { endpoints, health, monotonicNow } = this.#ways;
    const request = this.#request;
    if (request === null || this.#tried.length >= MAX_ATTEMPTS) return false;
    const index = health.pick(this.#tried, monotonicNow());
    const endpoint = index === null ? undefined : endpoints[index];
    if (index === null || endpoint === undefined) return false;
    this.#tried.push(index);
    this.#index = index;
    health.began(index);
    const call = endpoint.request(request, this);
    // It may have failed already, and another endpoint may have been asked.
    if (this.#index === index) this.#call = call;
    return true;
  }

  abort(reason?: AbortReason): void {
    const index = this.#index;
    const isUnanswered = this.#request !== null;
    this.#finish();
    this.#call?.abort(reason);
    this.#call = null;
    if (index !== null && isUnanswered && reason === 'timeout') this.#ways.fail(index);
  }

  resume(): void {
    this.#call?.resume();
  }

  onHead(status: number, headers: HeaderFields): void {
    // A stream may go on for hours, and does not need it.
    this.#request = null;
    const index = this.#index;
    if (index !== null) {
      const { health, monotonicNow, fail } = this.#ways;
      if (GATEWAY_ERRORS.has(status)) fail(index);
      else health.succeeded(index, monotonicNow());
    }
    this.#answer.onHead(status, headers);
  }

  onData(piece: Uint8Array, isLast = false): boolean {
    return this.#answer.onData(piece, isLast);
  }

  onEnd(): void {
    this.#finish();
    this.#answer.onEnd();
  }

  onFailure(code: RefusalCode, detail: string, isUnsent = false): void {
    const index = this.#index;
    this.#finish();
    this.#call = null;
    if (index !== null && ENDPOINT_FAILURES.has(code)) this.#ways.fail(index);
    if (isUnsent && this.start()) return;
    this.#answer.onFailure(code, detail, isUnsent);
  }

  #finish(): void {
    if (this.#index !== null) this.#ways.health.ended(this.#index);
    this.#index = null;
  }
}
