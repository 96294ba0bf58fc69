import type { RequestHead } from '../accept/request-head.ts';
import type { MatchPlan, RulePlan } from '../plan.ts';
import type { RegularExpression } from '../re2.ts';
import type { RuleRuntime } from '../runtime.ts';
import { compareSpecificity, createHostnameIndex, hostnameMatches } from './hostname.ts';
import {
  compileExpression,
  createLazyQuery,
  meetsConditions,
  noQuery,
  type LazyQuery,
} from './match-conditions.ts';
import { comparePrecedence, createCandidate, type Candidate } from './route-candidate.ts';

export interface RouteMatch {
  readonly rule: RuleRuntime;
  /** Characters of the path that a PathPrefix match consumed; 0 for other matches. */
  readonly matchedPrefixLength: number;
}

/** All rules of one listener, in order of precedence. */
export interface RouteTable {
  /**
   * The rule that answers a request, or `null`.
   *
   * @param head host and path in the form of `normaliseHost` and `normalisePath`
   */
  find(head: RequestHead): RouteMatch | null;
}

export interface RouteTableEntry {
  readonly plan: RulePlan;
  readonly rule: RuleRuntime;
}

/** All candidates whose hostname is the same. Lists are in order of precedence. */
interface Group {
  readonly byExactPath: Map<string, Candidate[]>;
  readonly byExpression: {
    readonly expression: RegularExpression;
    readonly candidate: Candidate;
  }[];
  /** Keys have no trailing slash; the prefix `/` is the empty string. */
  readonly byPrefix: Map<string, Candidate[]>;
  longestPrefixLength: number;
}

/**
 * Prepares the rules of one listener for lookup, in the order of precedence of Gateway API (HTTPRoute,
 * hostnames and HTTPRouteRule.matches). On ties the next criterion decides:
 *
 * 1. the most specific hostname: exact before wildcard before any, then the longer; a request that no rule
 *    of that hostname wants goes on to the next one;
 * 2. Exact path; then RegularExpression, the longer pattern first; then PathPrefix, the longer first. The
 *    specification leaves expressions open; kgateway and Envoy Gateway do the same, and a catch-all
 *    prefix can't silently take an expression's requests away (in agentgateway it can);
 * 3. with a method; most headers; most query parameters;
 * 4. the oldest route (one without a time counts as the youngest), then `namespace/name`, compared by code
 *    units; then the order of rules, and of matches within a rule.
 *
 * Paths are compared with case. A prefix stands for whole segments, and its trailing slash is ignored, also
 * when its length is counted. Expressions must match the whole path. The values of Exact and PathPrefix
 * are brought into the spelling of `normalisePath`; those it refuses never match a request.
 *
 * @throws Error when a regular expression can't be compiled, which the check of the resources has ruled out
 */
export function createRouteTable(entries: readonly RouteTableEntry[]): RouteTable {
  const byHostname = new Map<string | null, Candidate[]>();
  for (const { plan, rule } of entries) {
    const candidates = plan.matches.map((match, index) =>
      createCandidate(plan, rule, match, index),
    );
    const hostnames = plan.hostnames.length === 0 ? [null] : new Set(plan.hostnames);
    for (const hostname of hostnames) {
      const sameHostname = byHostname.get(hostname);
      if (sameHostname) sameHostname.push(...candidates);
      else byHostname.set(hostname, [...candidates]);
    }
  }

  const groups = new Map<string | null, Group>();
  for (const hostname of [...byHostname.keys()].sort(compareSpecificity)) {
    groups.set(hostname, createGroup(byHostname.get(hostname) ?? []));
  }
  // For each hostname its own group and those of all less specific ones that cover it.
  const chains = new Map<string | null, readonly Group[]>();
  for (const hostname of groups.keys()) chains.set(hostname, coveringGroups(hostname, groups));
  const index = createHostnameIndex(chains);
  const asksForQuery = entries.some(({ plan }) => plan.matches.some(hasQueryParams));

  return {
    find(head) {
      const chain = index.find(head.host);
      if (chain === undefined) return null;
      const query = asksForQuery ? createLazyQuery(head.query) : noQuery;
      for (const group of chain) {
        const candidate = findInGroup(group, head, query);
        if (candidate !== null) return candidate.result;
      }
      return null;
    },
  };
}

function hasQueryParams(match: MatchPlan): boolean {
  return match.queryParams.length > 0;
}

function createGroup(candidates: readonly Candidate[]): Group {
  const group: Group = {
    byExactPath: new Map(),
    byExpression: [],
    byPrefix: new Map(),
    longestPrefixLength: 0,
  };
  for (const candidate of [...candidates].sort(comparePrecedence)) {
    const { type, value } = candidate.path;
    if (type === 'RegularExpression') {
      group.byExpression.push({ expression: compileExpression(value), candidate });
      continue;
    }
    const byPath = type === 'Exact' ? group.byExactPath : group.byPrefix;
    const samePath = byPath.get(value);
    if (samePath) samePath.push(candidate);
    else byPath.set(value, [candidate]);
    if (type === 'PathPrefix') {
      group.longestPrefixLength = Math.max(group.longestPrefixLength, value.length);
    }
  }
  return group;
}

/** @param groups the most specific hostname first */
function coveringGroups(
  hostname: string | null,
  groups: ReadonlyMap<string | null, Group>,
): readonly Group[] {
  return [...groups]
    .filter(
      ([other]) => other === hostname || (hostname === null ? false : covers(other, hostname)),
    )
    .map(([, group]) => group);
}

/** Whether every host that `hostname` covers is covered by `other`. */
function covers(other: string | null, hostname: string): boolean {
  if (!hostname.startsWith('*.')) return hostnameMatches(other, hostname);
  return other === null || (other.startsWith('*.') && hostname.endsWith(other.slice(1)));
}

function findInGroup(group: Group, head: RequestHead, query: LazyQuery): Candidate | null {
  const { path } = head;
  if (group.byExactPath.size > 0) {
    const found = firstMet(group.byExactPath.get(path), head, query);
    if (found !== null) return found;
  }
  for (const { expression, candidate } of group.byExpression) {
    if (expression.matchesWhole(path) && meetsConditions(candidate.conditions, head, query)) {
      return candidate;
    }
  }
  return group.byPrefix.size > 0 ? findByPrefix(group, head, query) : null;
}

/** Tries the path up to each end of a segment, the longest first; nothing longer than the longest prefix. */
function findByPrefix(group: Group, head: RequestHead, query: LazyQuery): Candidate | null {
  const { path } = head;
  let end = path.length;
  if (end > group.longestPrefixLength) end = path.lastIndexOf('/', group.longestPrefixLength);
  for (; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const prefix = end === path.length ? path : path.slice(0, end);
    const found = firstMet(group.byPrefix.get(prefix), head, query);
    if (found !== null) return found;
  }
  return firstMet(group.byPrefix.get(''), head, query);
}

function firstMet(
  candidates: readonly Candidate[] | undefined,
  head: RequestHead,
  query: LazyQuery,
): Candidate | null {
  if (candidates === undefined) return null;
  for (const candidate of candidates) {
    if (meetsConditions(candidate.conditions, head, query)) return candidate;
  }
  return null;
}
