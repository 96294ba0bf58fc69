/**
 * The data that rules look at, as CEL values: built for each request from what the rules of the set
 * read and nothing else.
 *
 * Maps with names that a client chose are `Map` objects, and claims are cleaned (`claims.ts`), because
 * the CEL library takes an object's kind from its `constructor` member.
 */

import type { HeaderFields } from '../accept/request-head.ts';
import type { PolicySubject } from './authorizer.ts';
import { visibleClaims } from './claims.ts';
import { effort } from './effort.ts';
import type { RequestMember, RuleReads } from './inspect.ts';

/** Most query parameters; a request with more is denied where a rule reads them. */
export const maxQueryParameters = 256;

export type CelMap = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

/** The variables of one evaluation. */
export interface RuleContext {
  jwt: CelMap;
  request: CelMap;
  source: CelMap;
  /** Absent outside MCP authorization: a rule that mentions it then fails. */
  mcp: CelMap | undefined;
}

/** The one context of a rule set, filled and emptied for each request. */
export interface RuleContextHolder {
  readonly values: RuleContext;
  /** @returns `null`, or why the request can't be shown to the rules; it must then be denied */
  load(subject: PolicySubject): string | null;
  /** Drops all references to the request, and ends its account of effort. */
  clear(): void;
}

const empty: CelMap = new Map<string, unknown>();

/** @param reads what the rules of the set read */
export function createRuleContext(reads: readonly RuleReads[]): RuleContextHolder {
  const readsJwt = reads.some((rule) => rule.roots.has('jwt'));
  const readsSource = reads.some((rule) => rule.roots.has('source'));
  const members = new Set(reads.flatMap((rule) => [...rule.requestMembers]));
  const values: RuleContext = { jwt: empty, request: empty, source: empty, mcp: undefined };
  return {
    values,
    load(subject) {
      effort.reset();
      if (readsJwt && subject.principal !== null) {
        const { claims: all, findings } = subject.principal;
        if (findings.visibleClaims === undefined) findings.visibleClaims = visibleClaims(all);
        const claims = findings.visibleClaims;
        if (claims === null) return 'the claims are too deep or too many for rules to look at';
        values.jwt = claims;
      }
      if (readsSource) values.source = sourceOf(subject);
      if (members.size === 0) return null;
      const request = requestOf(subject, members);
      if (request === null) return `the query has more than ${maxQueryParameters} parameters`;
      values.request = request;
      return null;
    },
    clear() {
      effort.reset();
      values.jwt = empty;
      values.request = empty;
      values.source = empty;
      values.mcp = undefined;
    },
  };
}

function sourceOf(subject: PolicySubject): CelMap {
  const source: Record<string, unknown> = { address: subject.remoteAddress };
  if (subject.remotePort !== null) source.port = BigInt(subject.remotePort);
  return source;
}

function requestOf(subject: PolicySubject, members: ReadonlySet<RequestMember>): CelMap | null {
  const request: Partial<Record<RequestMember, unknown>> = {};
  for (const member of members) {
    const value = requestMember(subject, member);
    if (value === null) return null;
    request[member] = value;
  }
  return request;
}

function requestMember(subject: PolicySubject, member: RequestMember): unknown {
  switch (member) {
    case 'method':
    case 'path':
    case 'host':
    case 'scheme':
      return subject[member];
    case 'uri':
      return subject.query === null ? subject.path : `${subject.path}?${subject.query}`;
    case 'query':
      return queryParameters(subject.query);
    case 'headers':
      return headerMap(subject.headers);
    case 'time':
      return new Date(subject.startedAtMs);
  }
}

/**
 * The parameters by name, decoded as application/x-www-form-urlencoded (URL Standard, section 5); of a
 * repeated one the first value.
 *
 * @param query without the `?`, as sent
 * @returns `null` where there are more than {@link maxQueryParameters}
 */
function queryParameters(query: string | null): ReadonlyMap<string, string> | null {
  const parameters = new Map<string, string>();
  if (query === null || query === '') return parameters;
  let separators = 0;
  for (let at = query.indexOf('&'); at !== -1; at = query.indexOf('&', at + 1)) {
    separators += 1;
    if (separators >= maxQueryParameters) return null;
  }
  for (const [name, value] of new URLSearchParams(query)) {
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

/** The header fields by lower-case name; repeated ones joined (RFC 9110, 5.2; RFC 6265, 5.4). */
function headerMap(fields: HeaderFields): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    const earlier = headers.get(name);
    if (earlier === undefined) headers.set(name, value);
    else headers.set(name, `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  return headers;
}
