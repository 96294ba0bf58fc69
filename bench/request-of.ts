import type { LoadRequest } from './load/request.ts';
import { SESSION_HEADER } from './messages.ts';
import type { Scenario } from './scenarios.ts';
import type { Identities } from './tokens.ts';

/** The request of a scenario, for the proxy that listens on this port: in a session of its own where it needs one. */
export async function requestOf(
  scenario: Scenario,
  port: number,
  identities: Identities,
): Promise<LoadRequest> {
  const request = scenario.request(identities);
  if (scenario.inSession !== true) return request;
  const { method, path, headers, body, tokens } = request;
  // Whatever comes without a session is answered with one.
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...{ method, body, headers: { ...headers, authorization: `Bearer ${tokens[0] ?? ''}` } },
    signal: AbortSignal.timeout(10_000),
  });
  await answer.text();
  const session = answer.headers.get(SESSION_HEADER);
  if (session === null) throw new Error(`no session was opened: ${answer.status}`);
  return { ...request, headers: { ...headers, [SESSION_HEADER]: session } };
}
