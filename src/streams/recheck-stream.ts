import type { Decision } from '../authorize/authorizer.ts';
import type { Hold } from '../authenticate/hold.ts';
import type { Exchange } from '../exchange.ts';
import { deniedBy } from '../mcp/gate-message.ts';
import { isMisdirected, type ListenerTable } from '../route/listener-table.ts';
import type { RuleRuntime } from '../runtime.ts';
import { streamEnding, type StreamEnding } from './stream-ending.ts';

/** The tokens of a request, as what they rested on when it was accepted; none for an anonymous one. */
export function holdsOf({ principal, earlierPrincipals }: Exchange): readonly Hold[] {
  if (principal === null) return [];
  return [...earlierPrincipals, principal].flatMap((one) => one.findings.hold ?? []);
}

/**
 * Decides again, after a reload, on a request whose answer still goes on: would it be routed, authenticated and
 * authorized now as well? The token itself is not needed, and not kept, for this. On success the exchange's
 * backend is the one of the new runtime, so that what is filtered out of the stream follows the new rules.
 *
 * @param listeners of the port now, or `null` where the port is gone
 * @returns what its tokens rest on from now on, or how the stream ends
 */
export function recheckStream(
  exchange: Exchange,
  listeners: ListenerTable | null,
): readonly Hold[] | StreamEnding {
  const rule = findRule(exchange, listeners);
  const chosen = rule?.backends.find(exchange.upstream?.backendName ?? '') ?? null;
  if (rule === null || chosen === null) return streamEnding('route_removed');

  const holds = authenticateAgain(exchange, rule);
  if ('reason' in holds) return holds;

  const decision = rule.authorizer?.authorize(exchange.policySubject());
  if (decision !== undefined && !decision.allowed) return denied(decision);

  const { message } = exchange;
  const { mcp } = chosen;
  // A denied request that went up under a hidden name may come back with nothing.
  if (mcp !== null && message !== null && exchange.denial === null) {
    const denial = deniedBy(exchange, mcp, message);
    if (denial !== null) return denied(denial);
  }
  const hadRules = exchange.backend?.mcp?.authorizer != null;
  if ((mcp?.authorizer != null) !== hadRules) return streamEnding('rules_changed');
  exchange.backend = chosen;
  return holds;
}

function findRule(exchange: Exchange, listeners: ListenerTable | null): RuleRuntime | null {
  const { head, serverName } = exchange;
  const listener = listeners?.find(head.host) ?? null;
  if (listener === null || isMisdirected(listener, head.scheme, serverName)) return null;
  return listener.routes.find(head)?.rule ?? null;
}

function authenticateAgain(exchange: Exchange, rule: RuleRuntime): readonly Hold[] | StreamEnding {
  const earlier = holdsOf(exchange);
  const holds: Hold[] = [];
  for (const authenticator of rule.authenticators) {
    const verdict = authenticator.reconsider(earlier);
    if (typeof verdict === 'string') return streamEnding(verdict, { policy: authenticator.policy });
    if (verdict !== null) holds.push(verdict);
  }
  // Rules would see claims that nobody vouches for any more.
  if (exchange.principal !== null && holds.length === 0) return streamEnding('provider_removed');
  return holds;
}

function denied({ policy, rule, detail }: Extract<Decision, { allowed: false }>): StreamEnding {
  return streamEnding('denied', { policy, detail, ...(rule === null ? {} : { rule }) });
}
