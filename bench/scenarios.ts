/** What is measured: each scenario names its duty, its traffic and what a right answer is. */
import type { LoadRequest } from './load/request.ts';
import { CALL, CALL_ANSWER, callOfBytes, CLIENT_HEADERS, LIST, TOOL } from './messages.ts';
import type { Duty } from './subjects/subject.ts';
import type { Identities } from './tokens.ts';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly duty: Duty;
  /** Whether other proxies can do this at all. */
  readonly comparable: boolean;
  readonly request: (identities: Identities) => LoadRequest;
  readonly expectedStatus: number;
  /** What the body of a right answer holds; empty where the status says it all. */
  readonly expectedText: string;
  readonly connections?: number;
  readonly workers?: number;
  readonly accessLog?: boolean;
  /** The requests belong to a session (MCP up to 2025-11-25) that has to be opened first. */
  readonly inSession?: boolean;
  /** Each token is to be seen once: the load ends when all are used. */
  readonly once?: boolean;
}

const COLD_TOKENS = 20_000;
const CHURN_TOKENS = 10_000;

function post(body: string, tokens: readonly string[], path = '/mcp'): LoadRequest {
  return { method: 'POST', path, headers: CLIENT_HEADERS, body, tokens };
}

const call = { expectedStatus: 200, expectedText: CALL_ANSWER } as const;

/** The scenario that all peers are compared in. */
export const HEADLINE = 'tool';

export const scenarios: readonly Scenario[] = [
  {
    ...{ name: 'plain', title: 'no token, no rule', duty: 'plain', comparable: true, ...call },
    request: () => post(CALL, []),
  },
  {
    ...{ name: 'claim', title: 'cached RS256 token, HTTP rule', duty: 'claim', comparable: true },
    ...call,
    request: ({ alice }) => post(CALL, [alice]),
  },
  {
    ...{ name: HEADLINE, title: 'cached RS256 token, claim and tool rule', duty: 'tool' },
    ...{ comparable: true, ...call },
    request: ({ alice }) => post(CALL, [alice]),
  },
  {
    ...{ name: 'session', title: 'the same within a session of MCP 2025-11-25', duty: 'tool' },
    ...{ comparable: false, inSession: true, ...call },
    request: ({ alice }) => post(CALL, [alice], '/session'),
  },
  {
    ...{ name: 'session-sse', title: 'the same, answered in an event stream', duty: 'tool' },
    ...{ comparable: false, inSession: true, ...call },
    request: ({ alice }) => post(CALL, [alice], '/session-sse'),
  },
  {
    ...{ name: 'tool-no-log', title: 'the same without an access log', duty: 'tool' },
    ...{ comparable: false, accessLog: false, ...call },
    request: ({ alice }) => post(CALL, [alice]),
  },
  {
    ...{ name: 'tool-2-workers', title: 'the same with two workers', duty: 'tool' },
    ...{ comparable: false, workers: 2, ...call },
    request: ({ alice }) => post(CALL, [alice]),
  },
  {
    ...{ name: 'churn', title: `${CHURN_TOKENS} different tokens in turn`, duty: 'tool' },
    ...{ comparable: false, ...call },
    request: (identities) => post(CALL, identities.many(CHURN_TOKENS)),
  },
  ...(['RS256', 'ES256', 'EdDSA'] as const).map((algorithm): Scenario => ({
    ...{ name: `cold-${algorithm.toLowerCase()}`, title: `cold ${algorithm} tokens`, duty: 'tool' },
    ...{ comparable: false, once: true, ...call },
    request: (identities) => post(CALL, identities.many(COLD_TOKENS, algorithm)),
  })),
  {
    ...{ name: 'refused-anonymous', title: 'no token: refused', duty: 'tool', comparable: false },
    ...{ expectedStatus: 403, expectedText: '' },
    request: () => post(CALL, []),
  },
  {
    ...{ name: 'refused-garbage', title: 'garbage for a token: refused', duty: 'tool' },
    ...{ comparable: false, expectedStatus: 403, expectedText: '' },
    request: () => post(CALL, ['garbage.in.garbage-out']),
  },
  {
    ...{ name: 'refused-signature', title: 'a bad signature: refused', duty: 'tool' },
    ...{ comparable: false, expectedStatus: 403, expectedText: '' },
    request: ({ forged }) => post(CALL, [forged]),
  },
  ...[10, 100, 1000].flatMap((count): readonly Scenario[] => [
    listScenario(`list-${count}`, `tools/list of ${count}, JSON`, `/list/${count}`),
    listScenario(`list-sse-${count}`, `tools/list of ${count}, SSE`, `/list-sse/${count}`),
  ]),
  ...([1, 64, 1024] as const).map((kib): Scenario => ({
    ...{ name: `body-${kib}k`, title: `a body of ${kib} KiB`, duty: 'tool', comparable: false },
    ...call,
    request: ({ alice }) => post(callOfBytes(kib * 1024), [alice]),
  })),
];

function listScenario(name: string, title: string, path: string): Scenario {
  return {
    ...{ name, title, duty: 'tool', comparable: false, expectedStatus: 200 },
    expectedText: `"name":"${TOOL}"`,
    connections: 16,
    request: ({ alice }) => post(LIST, [alice], path),
  };
}
