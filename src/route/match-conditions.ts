/** What a match of an HTTPRoute rule asks of a request besides host and path. */

import type { HeaderFields, RequestHead } from '../accept/request-head.ts';
import type { MatchPlan, ValueMatchPlan } from '../plan.ts';
import { compileRegularExpression, type RegularExpression } from '../re2.ts';

/** Reads the query when somebody first asks, then keeps it for the rest of one search. */
export interface LazyQuery {
  /** The decoded value of the first parameter of that name, or `null`. */
  get(name: string): string | null;
}

/** The conditions of one match; all must hold. */
export interface Conditions {
  /** Case-sensitive (RFC 9110, 9.1), or `null` for any. */
  readonly method: string | null;
  readonly headers: readonly ValueCondition[];
  readonly queryParams: readonly ValueCondition[];
}

interface ValueCondition {
  readonly name: string;
  /** Compared character by character; `null` where an expression decides. */
  readonly exact: string | null;
  readonly expression: RegularExpression | null;
}

/**
 * Prepares the conditions of one match (Gateway API, HTTPRouteMatch). Of several entries with one name
 * only the first counts, as the specification demands.
 *
 * @param match header names in lower case
 * @throws Error when a regular expression can't be compiled, which the check of the resources has ruled out
 */
export function compileConditions(match: MatchPlan): Conditions {
  return {
    method: match.method,
    headers: compileValues(match.headers),
    queryParams: compileValues(match.queryParams),
  };
}

function compileValues(plans: readonly ValueMatchPlan[]): ValueCondition[] {
  const byName = new Map<string, ValueCondition>();
  for (const { type, name, value } of plans) {
    if (byName.has(name)) continue;
    const isExact = type === 'Exact';
    byName.set(name, {
      name,
      exact: isExact ? value : null,
      expression: isExact ? null : compileExpression(value),
    });
  }
  return [...byName.values()];
}

/**
 * Compiles an expression that the check of the resources has accepted.
 *
 * @throws Error when it can't be compiled
 */
export function compileExpression(pattern: string): RegularExpression {
  const expression = compileRegularExpression(pattern);
  if ('problem' in expression) throw new Error(`regular expression: ${expression.problem}`);
  return expression;
}

/**
 * Whether a request meets the conditions. Values must match as a whole, by text or by expression, as in
 * Envoy and agentgateway. A header field that occurs several times counts as one, its values joined by
 * commas (RFC 9110, 5.3); of a repeated query parameter the first one counts.
 *
 * @param query the query of the same request
 */
export function meetsConditions(
  conditions: Conditions,
  head: RequestHead,
  query: LazyQuery,
): boolean {
  if (conditions.method !== null && conditions.method !== head.method) return false;
  for (const condition of conditions.headers) {
    if (!meetsValue(condition, combinedValue(head.headers, condition.name))) return false;
  }
  for (const condition of conditions.queryParams) {
    if (!meetsValue(condition, query.get(condition.name))) return false;
  }
  return true;
}

function meetsValue(condition: ValueCondition, value: string | null): boolean {
  if (value === null) return false;
  return condition.expression === null
    ? value === condition.exact
    : condition.expression.matchesWhole(value);
}

function combinedValue(headers: HeaderFields, name: string): string | null {
  let combined: string | null = null;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    const value = headers[index + 1] ?? '';
    combined = combined === null ? value : `${combined},${value}`;
  }
  return combined;
}

/** The query of a request that has none, or whose query nobody asks for. */
export const noQuery: LazyQuery = { get: () => null };

/**
 * Reads a query as form data (WHATWG URL, application/x-www-form-urlencoded): `+` is a space, escapes are
 * decoded, malformed ones are taken as they are.
 *
 * @param query without `?`, or `null`
 */
export function createLazyQuery(query: string | null): LazyQuery {
  if (query === null) return noQuery;
  let parameters: URLSearchParams | null = null;
  return {
    get(name) {
      // With the question mark, because a second one would be taken for it and left out.
      parameters ??= new URLSearchParams(`?${query}`);
      return parameters.get(name);
    },
  };
}
