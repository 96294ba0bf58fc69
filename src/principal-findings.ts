import type { Hold } from './authenticate/hold.ts';
import type { Claims } from './authenticate/principal.ts';
import { Decisions } from './authorize/decisions.ts';
import type { SealOwner } from './mcp/seal-binding.ts';

/**
 * What stages have found out about a principal, for the next request with the same token. It stands on the principal
 * and not in maps with weak keys: with 20,000 remembered tokens those took more than half of the time that a collection
 * of the whole heap stops everything for.
 */
export class PrincipalFindings {
  /** Of `authenticate`: what the acceptance rests on. */
  hold: Hold | null = null;
  /** Of `authorize`: the claims as rules see them, `null` where they must not; `undefined` before a rule asked. */
  visibleClaims: Claims | null | undefined = undefined;
  /** Of `authorize` and `mcp`. */
  readonly decisions = new Decisions();
  /** Of `limit`: the name under which the caller is counted. */
  callerKey: string | null = null;
  /** Of `mcp`: whom sealed ids belong to. */
  sealOwner: SealOwner | null = null;
}
