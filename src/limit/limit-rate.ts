import { Refusal, type RefusalDetails } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';
import type { GlobalRateLimit } from './global-rate-limit.ts';
import { jsonRpcAnswer } from './json-rpc-answer.ts';
import type { LocalRateLimit } from './local-rate-limit.ts';
import { rateHeaders } from './rate-headers.ts';
import type { RateKey } from './rate-key.ts';
import type { BucketVerdict } from './token-bucket.ts';

/** The rate limits that apply at one place: to a rule of a route, or to a backend. */
export interface RateLimits {
  readonly local: { readonly limit: LocalRateLimit; readonly key: RateKey } | null;
  readonly global: { readonly limit: GlobalRateLimit; readonly key: RateKey } | null;
}

export interface LimitRateOptions {
  readonly limitsOf: (exchange: Exchange) => RateLimits | null;
  /** Milliseconds that only grow. */
  readonly monotonicNow: () => number;
}

/**
 * Makes the stage that counts a request against the rate limits of its place: the local one first, which
 * costs nothing, then, with a promise, the global one.
 *
 * @returns a stage; PASS, RATE_LIMITED (429) with `Retry-After` and `X-RateLimit-*`, or
 *   RATE_LIMIT_UNAVAILABLE (503) where a global limit that fails closed can't be asked. A message of MCP
 *   that was read is answered in JSON-RPC.
 */
export function createLimitRate({
  limitsOf,
  monotonicNow,
}: LimitRateOptions): (exchange: Exchange) => Verdict | Promise<Verdict> {
  return (exchange) => {
    const limits = limitsOf(exchange);
    if (limits === null || exchange.isRelayed) return PASS;
    const { local, global } = limits;
    if (local !== null) {
      const verdict = local.limit.take(local.key(exchange), monotonicNow());
      if (verdict !== null && !verdict.allowed) {
        return limited(exchange, local.limit.policy, verdict);
      }
    }
    if (global === null) return PASS;
    const { limit, key } = global;
    return limit.consume(key(exchange)).then((verdict) => {
      if (verdict === 'failed') {
        return limit.failureMode === 'FailOpen' ? PASS : unavailable(exchange, limit.policy);
      }
      return verdict.allowed ? PASS : limited(exchange, limit.policy, verdict);
    });
  };
}

function limited(exchange: Exchange, policy: string, verdict: BucketVerdict): Refusal {
  return new Refusal('RATE_LIMITED', {
    policy,
    headers: rateHeaders(verdict),
    ...answerTo(exchange, 'rate limit exceeded'),
  });
}

function unavailable(exchange: Exchange, policy: string): Refusal {
  return new Refusal('RATE_LIMIT_UNAVAILABLE', {
    policy,
    headers: ['retry-after', '1'],
    ...answerTo(exchange, 'rate limit failed'),
  });
}

function answerTo({ message }: Exchange, text: string): Pick<RefusalDetails, 'answer'> {
  const answer = jsonRpcAnswer(message, text);
  return answer === null ? {} : { answer };
}
