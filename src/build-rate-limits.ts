/** Turns the rate limits of a plan into what the stages read: which buckets, counted under which key. */

import { compileTextExpression, type TextExpression } from './authorize/text-expression.ts';
import type { Exchange } from './exchange.ts';
import type { GlobalRateLimit } from './limit/global-rate-limit.ts';
import type { RateLimits } from './limit/limit-rate.ts';
import type { LocalRateLimit } from './limit/local-rate-limit.ts';
import { createRateKey, oneForAll, type RateKey } from './limit/rate-key.ts';
import { callsOf } from './mcp/calls-of.ts';
import type { Plan, RateLimitIndexes } from './plan.ts';

/** The live limits, in the order of the plan's lists. */
export interface LiveRateLimits {
  readonly local: readonly LocalRateLimit[];
  readonly global: readonly GlobalRateLimit[];
}

type Scope = 'http' | 'mcp';
/** Gives one text for each thing that the request asks for; most ask for one. */
type Texts = (exchange: Exchange) => readonly (string | null)[];

/**
 * Builds the limits of one place.
 *
 * @param scope `mcp` for a Backend, whose keys may read what the message asks for
 * @returns `null` where there is none
 */
export function buildRateLimits(
  plan: Plan,
  { localRateLimit, globalRateLimit }: RateLimitIndexes,
  live: LiveRateLimits,
  scope: Scope,
): RateLimits | null {
  const local = localRateLimit === null ? undefined : live.local[localRateLimit];
  const global = globalRateLimit === null ? undefined : live.global[globalRateLimit];
  if (local === undefined && global === undefined) return null;
  const expression = plan.localRateLimits[localRateLimit ?? -1]?.key ?? null;
  const descriptors = plan.globalRateLimits[globalRateLimit ?? -1]?.descriptors ?? [];
  return {
    local:
      local === undefined
        ? null
        : {
            limit: local,
            key: expression === null ? oneForAll : createRateKey(textsOf(expression, scope)),
          },
    global: global === undefined ? null : { limit: global, key: descriptorKey(descriptors, scope) },
  };
}

/** Each descriptor is counted by itself, under the names and values of all its entries. */
function descriptorKey(
  descriptors: Plan['globalRateLimits'][number]['descriptors'],
  scope: Scope,
): RateKey {
  const compiled = descriptors.map((entries) =>
    entries.map(({ name, expression }) => ({ name, texts: textsOf(expression, scope) })),
  );
  if (compiled.length === 0) return oneForAll;
  return createRateKey((exchange) =>
    compiled.flatMap((entries, index) => {
      const values = entries.map(({ name, texts }) => ({ name, texts: texts(exchange) }));
      const count = Math.max(...values.map(({ texts }) => texts.length));
      return Array.from({ length: count }, (_, at) => {
        const named = values.map(({ name, texts }) => [name, texts[at] ?? null] as const);
        return named.some(([, text]) => text === null) ? null : JSON.stringify([index, ...named]);
      });
    }),
  );
}

/** An expression that does not compile after all gives nothing: the caller's own bucket counts. */
function textsOf(expression: string, scope: Scope): Texts {
  const compiled = compileTextExpression(expression, scope);
  if ('message' in compiled) return () => [null];
  return scope === 'http'
    ? (exchange) => [compiled.evaluate(exchange.policySubject(), null)]
    : (exchange) => mcpTexts(exchange, compiled);
}

function mcpTexts(exchange: Exchange, expression: TextExpression): readonly (string | null)[] {
  const { message, backend } = exchange;
  const subject = exchange.policySubject();
  const mcp = backend?.mcp ?? null;
  const calls =
    message?.kind === 'request' && mcp !== null
      ? callsOf(message, (kind, name) => mcp.locate(exchange.owner, kind, name))
      : null;
  if (calls === null || calls.length === 0) return [expression.evaluate(subject, null)];
  return calls.map((call) => expression.evaluate(subject, call));
}
