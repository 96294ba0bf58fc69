import type { TlsPlan } from '../../plan.ts';
import type { BackendTls } from '../kinds/agentgateway-backend.ts';
import { compareByAge } from '../policy/precedence.ts';
import type { FieldPath } from '../problem.ts';
import { resourceLabel, type AnyResource } from '../resource.ts';
import { linkCaCertificates } from './ca-certificates.ts';
import type { LinkContext } from './context.ts';
import {
  agentgatewayTargetKinds,
  backendKinds,
  findTargets,
  isBackendKind,
  targetKey,
  type PolicyTarget,
  type TargetKind,
  type Targets,
} from './targets.ts';

/** Completes a policy with the host that it is used for. */
export type TlsForHost = (host: string) => TlsPlan;

/** Which policy, if any, asks for TLS to a backend or a part of it. */
export interface TlsPolicies {
  /**
   * @param sections names of the part, any of which a policy may have used: an MCP target, or a Service's
   *   port by name or number
   * @returns the policy of the part, else of the whole, else `null`: nothing asked for TLS
   */
  find(resource: AnyResource, sections: readonly string[]): TlsForHost | null;
  /** Every policy with each of its targets, also those that lost. */
  readonly claims: readonly TlsClaim[];
}

export interface TlsClaim {
  readonly policy: AnyResource;
  readonly target: PolicyTarget;
  readonly tls: TlsForHost;
}

const backendTlsPolicyTargets = ['Service', ...backendKinds] as const;

/**
 * Links all BackendTLSPolicies and the `backend.tls` of Agentgateway policies. Of two for one target the
 * oldest wins, then the first by name; the other gets `Accepted: False, Conflicted`.
 */
export function linkTlsPolicies(context: LinkContext): TlsPolicies {
  const winners = new Map<string, TlsClaim>();
  const claims = [...backendTlsPolicyClaims(context), ...agentgatewayClaims(context)];
  for (const claim of claims.sort((a, b) => compareByAge(a.policy, b.policy))) {
    const { resource, sectionName, path } = claim.target;
    const key = targetKey(resource, sectionName);
    const winner = winners.get(key);
    if (winner === undefined) winners.set(key, claim);
    else if (winner.policy !== claim.policy) {
      context.report.warning(
        claim.policy,
        path,
        `${labelOf(winner.policy)} already sets TLS for this target; this policy has no effect there`,
        { type: 'Accepted', reason: 'Conflicted', about: key },
      );
    }
  }
  return {
    claims,
    find(resource, sections) {
      for (const section of [...sections, null]) {
        const claim = winners.get(targetKey(resource, section));
        if (claim !== undefined) return claim.tls;
      }
      return null;
    },
  };
}

/**
 * Links the `tls` block of an Agentgateway policy or backend. `{}` is TLS with the system's CAs. Loading has
 * refused `insecureSkipVerify`.
 */
export function linkTlsBlock(
  context: LinkContext,
  policy: AnyResource,
  tls: BackendTls,
  path: FieldPath,
): TlsForHost {
  const { caCertificateRefs = [] } = tls;
  const ca =
    caCertificateRefs.length === 0
      ? { pem: null, invalid: null }
      : linkCaCertificates(context, policy, caCertificateRefs, [...path, 'caCertificateRefs']);
  const subjectAltNames = (tls.verifySubjectAltNames ?? []).map((value) => ({
    type: value.includes('://') ? ('URI' as const) : ('Hostname' as const),
    value,
  }));
  return (host) => ({
    policy: labelOf(policy),
    serverName: tls.sni ?? host,
    caCertificatesPem: ca.pem,
    subjectAltNames,
    invalid: ca.invalid,
  });
}

function backendTlsPolicyClaims(context: LinkContext): readonly TlsClaim[] {
  return context.resources.ofKind('BackendTLSPolicy').flatMap((policy) => {
    const { validation } = policy.spec;
    const ca =
      validation.caCertificateRefs === undefined
        ? { pem: null, invalid: null }
        : linkCaCertificates(context, policy, validation.caCertificateRefs, [
            'spec',
            'validation',
            'caCertificateRefs',
          ]);
    const plan: TlsPlan = {
      policy: labelOf(policy),
      serverName: validation.hostname,
      caCertificatesPem: ca.pem,
      subjectAltNames: (validation.subjectAltNames ?? []).map(({ type, hostname, uri }) => ({
        type,
        value: (type === 'Hostname' ? hostname : uri) ?? '',
      })),
      invalid: ca.invalid,
    };
    return claimTargets(context, policy, backendTlsPolicyTargets, () => plan);
  });
}

function agentgatewayClaims(context: LinkContext): readonly TlsClaim[] {
  const { resources } = context;
  return [
    ...resources.ofKind('AgentgatewayPolicy'),
    ...resources.ofKind('EnterpriseAgentgatewayPolicy'),
  ].flatMap((policy) => {
    const tls = policy.spec.backend?.tls;
    if (tls === undefined) return [];
    const linked = linkTlsBlock(context, policy, tls, ['spec', 'backend', 'tls']);
    return claimTargets(context, policy, agentgatewayTargetKinds, linked);
  });
}

function claimTargets(
  context: LinkContext,
  policy: AnyResource & { readonly spec: Targets },
  allowed: readonly TargetKind[],
  tls: TlsForHost,
): readonly TlsClaim[] {
  const targets = findTargets(context, policy, policy.spec, allowed, {
    type: 'Accepted',
    reason: 'TargetNotFound',
  });
  return targets
    .filter(({ resource }) => resource.kind === 'Service' || isBackendKind(resource.kind))
    .filter((target) => hasSection(context, policy, target))
    .map((target) => ({ policy, target, tls }));
}

function hasSection(
  { report }: LinkContext,
  policy: AnyResource,
  { resource, sectionName, path }: PolicyTarget,
): boolean {
  if (sectionName === null) return true;
  const sections = sectionNames(resource);
  if (sections.includes(sectionName)) return true;
  report.error(
    policy,
    [...path, 'sectionName'],
    `${resource.kind} ${resource.name} has no ${resource.kind === 'Service' ? 'port' : 'target'} ` +
      `${sectionName}; it has ${sections.join(', ') || 'none that a policy can name'}`,
    { type: 'Accepted', reason: 'TargetNotFound' },
  );
  return false;
}

/** The parts of a backend that a policy can name: MCP targets, or ports by name and number. */
export function sectionNames(resource: AnyResource): readonly string[] {
  if (resource.kind === 'Service') {
    return (resource.spec.ports ?? []).flatMap(({ name, port }) =>
      name === undefined ? [String(port)] : [name, String(port)],
    );
  }
  if (
    resource.kind === 'Backend' ||
    resource.kind === 'AgentgatewayBackend' ||
    resource.kind === 'EnterpriseAgentgatewayBackend'
  ) {
    return (resource.spec.mcp?.targets ?? []).map(({ name }) => name);
  }
  return [];
}

function labelOf({ kind, namespace, name }: AnyResource): string {
  return resourceLabel(kind, namespace, name);
}
