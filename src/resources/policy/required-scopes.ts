import type { AuthenticationPlan } from '../../plan.ts';
import type { LinkContext } from '../link/context.ts';
import type { AnyResource } from '../resource.ts';
import type { AuthenticationSection } from './normalised-policy.ts';
import { scopeToken } from './protected-resource.ts';

/** Annotation of a policy that authenticates: scopes, separated by spaces, that its tokens must all have. */
export const requiredScopesAnnotation = 'postern.dev/required-scopes';

const maxScopes = 64;

/**
 * Adds the scopes that a policy's annotation demands to everything that the policy says of tokens. Reported as
 * errors, because access would be wider than it reads: an annotation on a policy that authenticates nobody,
 * or that lets requests without a token pass, and what is no list of scopes (RFC 6749, 3.3).
 */
export function withRequiredScopes<Section extends AuthenticationSection | null>(
  { report }: LinkContext,
  policy: AnyResource,
  sections: readonly Section[],
): readonly (Section | AuthenticationSection)[] {
  const text = policy.annotations[requiredScopesAnnotation];
  if (text === undefined) return sections;
  const path = ['metadata', 'annotations', requiredScopesAnnotation];
  const requiredScopes = [...new Set(text.split(' ').filter((scope) => scope !== ''))];
  const isList = requiredScopes.length > 0 && requiredScopes.length <= maxScopes;
  if (!isList || !requiredScopes.every((scope) => scopeToken.test(scope))) {
    report.error(policy, path, `must be 1 to ${maxScopes} scopes, separated by spaces`);
    return sections;
  }
  const plans = sections.flatMap((section) => section?.plans ?? []);
  if (plans.length === 0) {
    report.error(policy, path, 'has no effect on a policy that authenticates nobody');
  } else if (plans.some(({ mode }) => mode !== 'RequireValid')) {
    report.error(policy, path, 'needs a policy whose mode requires a valid token');
  }
  const demand = (plan: AuthenticationPlan): AuthenticationPlan => ({ ...plan, requiredScopes });
  return sections.map((section) =>
    section === null ? section : { ...section, plans: section.plans.map(demand) },
  );
}
