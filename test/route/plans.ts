/** Builders for what the tests of this stage share: heads, plans and runtimes with everything unimportant filled in. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestHead } from '../../src/accept/request-head.ts';
import type { Responder } from '../../src/accept/responder.ts';
import { Exchange } from '../../src/exchange.ts';
import type { MatchPlan, RulePlan, ValueMatchPlan } from '../../src/plan.ts';
import { compileFilters } from '../../src/route/filters.ts';
import { createListenerTable, type ListenerTable } from '../../src/route/listener-table.ts';
import type { RouteTable, RouteTableEntry } from '../../src/route/route-table.ts';
import type { ListenerRuntime, RuleRuntime } from '../../src/runtime.ts';

/** A GET of `http://example.com/`, unless said otherwise; `headers` as an object, `path` with its query. */
export function headOf(
  options: Partial<Omit<RequestHead, 'headers' | 'query'>> & {
    headers?: Readonly<Record<string, string>> | readonly string[];
  } = {},
): RequestHead {
  const { headers = [], path: target = '/', ...rest } = options;
  const question = target.indexOf('?');
  const host = rest.host ?? 'example.com';
  return {
    method: 'GET',
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? null : target.slice(question + 1),
    headers: isList(headers) ? [...headers] : Object.entries(headers).flat(),
    host,
    authority: host,
    scheme: 'http',
    remoteAddress: '192.0.2.1',
    remotePort: null,
    ...rest,
  };
}

function isList(headers: object): headers is readonly string[] {
  return Array.isArray(headers);
}

/** A match of prefix `/`, unless said otherwise; a path value that starts with `=` is Exact, with `~` RegularExpression. */
export function matchOf(
  path = '/',
  options: {
    method?: string;
    headers?: Readonly<Record<string, string>>;
    query?: Readonly<Record<string, string>>;
  } = {},
): MatchPlan {
  return {
    path: path.startsWith('=')
      ? { type: 'Exact', value: path.slice(1) }
      : path.startsWith('~')
        ? { type: 'RegularExpression', value: path.slice(1) }
        : { type: 'PathPrefix', value: path },
    method: options.method ?? null,
    headers: valuesOf(options.headers),
    queryParams: valuesOf(options.query),
  };
}

function valuesOf(values: Readonly<Record<string, string>> = {}): ValueMatchPlan[] {
  return Object.entries(values).map(([name, value]) =>
    value.startsWith('~')
      ? { type: 'RegularExpression', name, value: value.slice(1) }
      : { type: 'Exact', name, value },
  );
}

export function rulePlanOf(
  matches: readonly MatchPlan[],
  options: Partial<RulePlan> = {},
): RulePlan {
  return {
    route: 'default/route',
    name: null,
    index: 0,
    createdAt: '',
    hostnames: [],
    matches,
    filters: [],
    cors: null,
    timeouts: { requestMs: null, backendRequestMs: null },
    backends: [],
    authentications: [],
    authorizations: [],
    localRateLimit: null,
    globalRateLimit: null,
    ...options,
  };
}

export function ruleRuntimeOf(name: string, options: Partial<RuleRuntime> = {}): RuleRuntime {
  return {
    route: 'default/route',
    name,
    cors: null,
    authenticators: [],
    reservedHeaders: new Set(),
    authorizer: null,
    protectedResource: null,
    pageGuard: null,
    rateLimits: null,
    filters: compileFilters([]),
    requestTimeoutMs: null,
    backendRequestTimeoutMs: null,
    backends: { choose: () => null, find: () => null },
    ...options,
  };
}

/** An entry whose rule carries `name`, to be told by in the result. */
export function entryOf(
  name: string,
  matches: readonly MatchPlan[],
  options: Partial<RulePlan> = {},
): RouteTableEntry {
  return { plan: rulePlanOf(matches, options), rule: ruleRuntimeOf(name) };
}

export function listenerOf(hostname: string | null, routes?: RouteTable): ListenerRuntime {
  return {
    gateway: 'default/gateway',
    name: hostname ?? 'any',
    hostname,
    routes: routes ?? { find: () => null },
    protectedRoutes: null,
  };
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
}

/** An exchange of that head, and the answers that were sent to its client. */
export function exchangeOf(
  head: RequestHead,
  listeners: ListenerTable = createListenerTable([]),
  serverName: string | null = null,
): { exchange: Exchange; answers: RecordedAnswer[] } {
  const answers: RecordedAnswer[] = [];
  const unexpected = (): never => {
    throw new Error('this stage only sends whole answers');
  };
  const responder: Responder = {
    aborted: false,
    started: false,
    finished: false,
    bodyBytes: 0,
    send: (status, headers, body) => {
      answers.push({ status, headers, body });
    },
    sendAndClose: unexpected,
    begin: unexpected,
    write: unexpected,
    end: unexpected,
    cut: unexpected,
    onAbort: unexpected,
    onDrain: unexpected,
  };
  return { exchange: new Exchange(head, responder, null, listeners, serverName, 0, 0), answers };
}

/** How many of six requests that come in one turn of the event loop are answered in it, and how many a turn later. */
export async function answeredOfSix(
  stage: (exchange: Exchange) => unknown,
  request: () => ReturnType<typeof exchangeOf>,
): Promise<readonly [inThisTurn: number, inTheNext: number]> {
  // Those of earlier tests have had their turn.
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  const all = Array.from({ length: 6 }, request);
  for (const { exchange } of all) stage(exchange);
  const count = (): number => all.filter(({ answers }) => answers.length > 0).length;
  const inThisTurn = count();
  await nextTurn();
  return [inThisTurn, count()];
}
