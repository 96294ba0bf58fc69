import type { HeaderFields } from '../accept/request-head.ts';
import type { TokenLocation } from '../authenticate/authenticator.ts';
import type { Principal } from '../authenticate/principal.ts';
import type { Exchange } from '../exchange.ts';
import type { RuleRuntime } from '../runtime.ts';
import type { ChosenBackend } from './backend-chooser.ts';
import type { Upstream, WrittenHead } from './upstream.ts';

/**
 * What goes upstream before the body, with all that it is made of besides the head of the client's request. The next
 * request with that head needs no other while all of it is the same.
 */
export interface RememberedRequest {
  readonly rule: RuleRuntime;
  readonly chosen: ChosenBackend;
  readonly upstream: Upstream;
  readonly principal: Principal | null;
  readonly tokensToRemove: readonly TokenLocation[];
  readonly keptTokenHeader: string;
  /** The upstream's own id. */
  readonly sessionId: string | null;
  readonly remoteAddress: string;
  readonly isFiltered: boolean;

  readonly path: string;
  /** Shared by requests, and frozen. */
  readonly headers: HeaderFields;
  readonly written: WrittenHead;
}

/** Whether an exchange whose head is the same is to be forwarded with the same request. */
export function isForwardedAlike(
  known: RememberedRequest,
  exchange: Exchange,
  rule: RuleRuntime,
  chosen: ChosenBackend,
  upstream: Upstream,
): boolean {
  const { session } = exchange;
  return (
    known.rule === rule &&
    known.chosen === chosen &&
    known.upstream === upstream &&
    known.principal === exchange.principal &&
    known.keptTokenHeader === exchange.keptTokenHeader &&
    known.sessionId === (session === null ? null : session.upstreamId) &&
    known.isFiltered === (exchange.answerFilter !== null) &&
    known.remoteAddress === exchange.head.remoteAddress &&
    exchange.headerEdits.length === 0 &&
    isSameList(known.tokensToRemove, exchange.tokensToRemove)
  );
}

function isSameList(a: readonly TokenLocation[], b: readonly TokenLocation[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}
