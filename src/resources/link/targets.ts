import type { TargetReference, TargetSelector } from '../kinds/common.ts';
import type { FieldPath } from '../problem.ts';
import type { AnyResource } from '../resource.ts';
import type { Fault } from '../report.ts';
import type { LinkContext } from './context.ts';
import { matchesLabels } from './labels.ts';
import { notFound } from './not-found.ts';

/** The kinds that a route forwards to, beside Service. */
export const backendKinds = [
  'Backend',
  'AgentgatewayBackend',
  'EnterpriseAgentgatewayBackend',
] as const;
/** What policies of the TrafficPolicy family may target. */
export const trafficPolicyTargetKinds = ['Gateway', 'HTTPRoute', ...backendKinds] as const;

/** What Agentgateway policies may target. */
export const agentgatewayTargetKinds = [...trafficPolicyTargetKinds, 'Service'] as const;

export type BackendKind = (typeof backendKinds)[number];
export type TargetKind = (typeof agentgatewayTargetKinds)[number];

/** Groups that a target may carry; kind and group are not checked against each other (kgateway). */
const targetGroups: ReadonlySet<string> = new Set([
  '',
  'gateway.networking.k8s.io',
  'gateway.networking.x-k8s.io',
  'gateway.kgateway.dev',
  'agentgateway.dev',
  'enterpriseagentgateway.solo.io',
]);

/** A resource that a policy is to be attached to, or a part of it. */
export interface PolicyTarget {
  readonly resource: AnyResource;
  /** A listener, a rule, an MCP target or a Service's port; `null` for the whole. */
  readonly sectionName: string | null;
  /** Where the policy names it. */
  readonly path: FieldPath;
}

export interface Targets {
  readonly targetRefs?: readonly TargetReference[];
  readonly targetSelectors?: readonly TargetSelector[];
}

export function isBackendKind(kind: string): kind is BackendKind {
  return backendKinds.some((known) => known === kind);
}

/** The key under which a target's attachments and conditions are kept. */
export function targetKey(resource: AnyResource, sectionName: string | null): string {
  return [resource.kind, resource.namespace, resource.name, sectionName ?? ''].join('/');
}

/**
 * Finds what a policy targets by name or by labels, in the policy's own namespace. A name that leads
 * nowhere is reported as an error, labels that select nothing as a warning.
 *
 * @param allowed the kinds that policies of this kind may target
 * @param missing what a name that leads nowhere does to the policy's conditions
 */
export function findTargets(
  context: LinkContext,
  policy: AnyResource,
  targets: Targets,
  allowed: readonly TargetKind[],
  missing: Fault,
): readonly PolicyTarget[] {
  const { resources, report } = context;
  const found: PolicyTarget[] = [];

  for (const [index, ref] of (targets.targetRefs ?? []).entries()) {
    const path = ['spec', 'targetRefs', index];
    const kind = targetKind(context, policy, ref, path, allowed);
    if (kind === null) continue;
    const resource = resources.all.find(
      (candidate) => candidate.name === ref.name && isIn(candidate, kind, policy.namespace),
    );
    if (resource !== undefined) {
      found.push({ resource, sectionName: ref.sectionName ?? null, path });
    } else if (!resources.isBroken(kind, policy.namespace, ref.name)) {
      report.error(
        policy,
        [...path, 'name'],
        notFound(resources, kind, policy.namespace, ref.name),
        missing,
      );
    }
  }

  for (const [index, selector] of (targets.targetSelectors ?? []).entries()) {
    const path = ['spec', 'targetSelectors', index];
    const kind = targetKind(context, policy, selector, path, allowed);
    if (kind === null) continue;
    const { matchLabels } = selector;
    const selected = resources.all.filter(
      (candidate) =>
        isIn(candidate, kind, policy.namespace) && matchesLabels({ matchLabels }, candidate.labels),
    );
    if (selected.length === 0) {
      report.warning(
        policy,
        [...path, 'matchLabels'],
        `no ${kind} in namespace ${policy.namespace} has these labels, so that the policy has no effect there`,
        { type: 'Attached', reason: 'Pending' },
      );
    }
    for (const resource of selected) {
      found.push({ resource, sectionName: selector.sectionName ?? null, path });
    }
  }
  return found;
}

function isIn(resource: AnyResource, kind: TargetKind, namespace: string): boolean {
  return resource.kind === kind && resource.namespace === namespace;
}

function targetKind(
  { report }: LinkContext,
  policy: AnyResource,
  ref: { readonly group: string; readonly kind: string },
  path: FieldPath,
  allowed: readonly TargetKind[],
): TargetKind | null {
  const kind = allowed.find((known) => known === ref.kind);
  if (kind === undefined) {
    report.error(
      policy,
      [...path, 'kind'],
      `${ref.kind} can't be the target of a ${policy.kind}; use ${allowed.join(', ')}`,
    );
    return null;
  }
  if (!targetGroups.has(ref.group)) {
    report.error(
      policy,
      [...path, 'group'],
      `${ref.group} is not a group of targets; use gateway.networking.k8s.io for a Gateway or ` +
        'HTTPRoute, gateway.kgateway.dev or agentgateway.dev for a backend, "" for a Service',
    );
    return null;
  }
  return kind;
}
