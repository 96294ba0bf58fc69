import type { AuthorizationPlan } from '../../plan.ts';
import type { LinkContext } from '../link/context.ts';
import { isFromEnvironment } from '../link/secret-values.ts';
import type { FieldPath } from '../problem.ts';
import type { AnyResource } from '../resource.ts';
import type { AuthorizationSection } from './normalised-policy.ts';
import { readOnDeny } from './on-deny.ts';

interface AuthorizationSpec {
  readonly action?: AuthorizationPlan['action'];
  readonly policy: { readonly matchExpressions: readonly string[] };
}

/**
 * Normalises `rbac` and `authorization`. The default action is Allow. Where only Deny rules apply to a
 * request they are a denylist: what none of them matches is allowed.
 *
 * @param path of the block
 */
export function normaliseAuthorization(
  resource: AnyResource,
  spec: AuthorizationSpec | undefined,
  path: FieldPath,
): AuthorizationSection | null {
  if (spec === undefined) return null;
  const expressions = spec.policy.matchExpressions;
  const expressionsPath = [...path, 'policy', 'matchExpressions'];
  const concealed = [...expressions.keys()].filter((index) =>
    isFromEnvironment(resource.origin, [...expressionsPath, index]),
  );
  return {
    path: expressionsPath,
    plan: {
      policy: `${resource.namespace}/${resource.name}`,
      policyKind: resource.kind,
      action: spec.action ?? 'Allow',
      onDeny: readOnDeny(resource),
      expressions,
      ...(concealed.length === 0 ? {} : { concealed }),
    },
  };
}

/** Compiles every expression for the place where it is going to be evaluated, and reports what is wrong. */
export function checkAuthorization(
  { report, checks }: LinkContext,
  resource: AnyResource,
  { path, plan }: AuthorizationSection,
  scope: 'http' | 'mcp',
): void {
  for (const [index, expression] of plan.expressions.entries()) {
    const { problems, warnings } = checks.checkExpression(expression, scope, plan.action);
    for (const problem of problems) report.error(resource, [...path, index], problem);
    for (const warning of warnings) report.warning(resource, [...path, index], warning);
  }
}
