import type { AuthenticationPlan, RulePlan } from '../../plan.ts';
import type { Report } from '../report.ts';
import type { AnyResource } from '../resource.ts';

/**
 * Reports rules whose tokens must be made out to the URL that the client uses, while any Host header leads to
 * them: the client would then choose the audience itself, and a token for another server would do. Exact
 * hostnames, audiences or a `resource` cure it.
 */
export function checkAudience(
  report: Report,
  route: AnyResource,
  hostnames: RulePlan['hostnames'],
  authentications: readonly AuthenticationPlan[],
): void {
  const isBound = hostnames.length > 0 && hostnames.every((name) => !name.startsWith('*'));
  if (isBound) return;
  for (const { protectedResource, providers, policyKind, policy } of authentications) {
    if (protectedResource === undefined) continue;
    if (providers.every(({ audiences }) => audiences !== null)) continue;
    report.error(
      route,
      ['spec', 'hostnames'],
      `${policyKind} ${policy} names neither audiences nor resourceMetadata.resource, so a token must be made ` +
        'out to the URL that the client uses; give the route exact hostnames, or the policy one of the two',
    );
  }
}
