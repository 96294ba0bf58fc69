import type { FuzzTarget } from './target.ts';
import { httpTargets } from './targets/http.ts';
import { identityAndPolicyTargets } from './targets/identity-and-policy.ts';
import { mcpTargets } from './targets/mcp.ts';
import { placeTargets } from './targets/places.ts';
import { serverTargets } from './targets/servers.ts';

/** Every parser of ours that reads what others wrote. */
export const targets: readonly FuzzTarget[] = [
  ...httpTargets,
  ...mcpTargets,
  ...serverTargets,
  ...placeTargets,
  ...identityAndPolicyTargets,
];
