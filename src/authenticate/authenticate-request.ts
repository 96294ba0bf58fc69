import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';
import type { Authenticated, Authenticator, TokenLocation } from './authenticator.ts';
import { withResourceMetadata } from './challenge.ts';

const NO_AUTHENTICATORS: readonly Authenticator[] = Object.freeze([]);

/**
 * The authenticate stage: every authentication policy of the rule must accept the request, in their
 * order (backends' first, before and after external authorization). The last principal found is the exchange's.
 * A token that was seen before is decided without a promise. Where the rule is an OAuth protected resource a
 * challenge says where its metadata is.
 *
 * @returns PASS, or the refusal of the first policy that does not accept
 */
export function authenticateRequest(exchange: Exchange): Verdict | Promise<Verdict> {
  return continueFrom(exchange, 0);
}

function continueFrom(exchange: Exchange, first: number): Verdict | Promise<Verdict> {
  const authenticators = exchange.rule?.authenticators ?? NO_AUTHENTICATORS;
  for (let index = first; index < authenticators.length; index += 1) {
    const authenticator = authenticators[index];
    if (authenticator === undefined) break;
    const result = authenticator.authenticate(
      exchange.head,
      exchange.startedAtMs,
      exchange.findings,
    );
    if (result instanceof Promise) return continueAfter(result, exchange, authenticator, index);
    const refusal = accept(exchange, authenticator, result);
    if (refusal !== null) return refusal;
  }
  return PASS;
}

async function continueAfter(
  result: Promise<Authenticated | Refusal>,
  exchange: Exchange,
  authenticator: Authenticator,
  index: number,
): Promise<Verdict> {
  const refusal = accept(exchange, authenticator, await result);
  return refusal ?? continueFrom(exchange, index + 1);
}

function accept(
  exchange: Exchange,
  { demands, ignoresRefusals }: Authenticator,
  result: Authenticated | Refusal,
): Refusal | null {
  if (result instanceof Refusal) return withMetadata(exchange, result);
  let { principal } = result;
  const { location } = result;
  if (principal !== null && demands !== null) {
    const refusal = demands.check(principal, urlOf(exchange));
    if (refusal !== null && !ignoresRefusals) return withMetadata(exchange, refusal);
    if (refusal !== null) principal = null;
  }
  if (principal !== null) {
    if (exchange.principal !== null) {
      exchange.earlierPrincipals = [...exchange.earlierPrincipals, exchange.principal];
    }
    exchange.principal = principal;
  }
  if (location === null) return null;
  if (principal?.keepToken !== true) {
    const earlier = exchange.tokensToRemove;
    exchange.tokensToRemove = earlier.length === 0 ? [location] : [...earlier, location];
  } else if (isHeader(location)) {
    exchange.keptTokenHeader = location.name;
  }
  return null;
}

function urlOf({ rule, head, matchedPrefixLength }: Exchange): string | null {
  return rule?.protectedResource?.url(head, head.path, matchedPrefixLength) ?? null;
}

function withMetadata(exchange: Exchange, refusal: Refusal): Refusal {
  const { rule, head, matchedPrefixLength } = exchange;
  const resource = rule?.protectedResource ?? null;
  if (resource === null) return refusal;
  const identifier = resource.identifier(head, head.path, matchedPrefixLength);
  return withResourceMetadata(refusal, resource.metadataUrl(identifier), resource.challengeScope);
}

function isHeader(location: TokenLocation): boolean {
  return location.in === 'header';
}
