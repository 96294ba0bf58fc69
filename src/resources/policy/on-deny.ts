import type { AuthorizationPlan } from '../../plan.ts';
import type { Report } from '../report.ts';
import type { AnyResource } from '../resource.ts';

/** On a policy, or on a backend with rules of its own: how its denials of MCP requests look. */
export const ON_DENY_ANNOTATION = 'postern.dev/on-deny';

const modes = ['hide', 'unknown', 'forbidden', 'tool_error'] as const;

/** What the annotation of a resource says; `null` where it is not there, or not what {@link checkOnDeny} accepts. */
export function readOnDeny(resource: AnyResource): AuthorizationPlan['onDeny'] {
  const value = resource.annotations[ON_DENY_ANNOTATION];
  return modes.find((mode) => mode === value) ?? null;
}

/** Reports a value that is none of the modes as an error. The value itself is not repeated. */
export function checkOnDeny(report: Report, resource: AnyResource): void {
  if (resource.annotations[ON_DENY_ANNOTATION] === undefined || readOnDeny(resource) !== null)
    return;
  report.error(
    resource,
    ['metadata', 'annotations', ON_DENY_ANNOTATION],
    `must be ${modes.slice(0, -1).join(', ')} or ${modes.at(-1)}`,
  );
}
