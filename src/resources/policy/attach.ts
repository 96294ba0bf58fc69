import type { LinkContext } from '../link/context.ts';
import { notFound } from '../link/not-found.ts';
import type { LinkedExtension } from '../link/route-filters.ts';
import type { LinkedRoute } from '../link/routes.ts';
import { sectionNames } from '../link/tls.ts';
import { isBackendKind, targetKey, type PolicyTarget } from '../link/targets.ts';
import type { FieldPath } from '../problem.ts';
import { resourceLabel, type AnyResource, type Resource } from '../resource.ts';
import { checkAuthorization } from './authorization.ts';
import type {
  AuthenticationSection,
  AuthorizationSection,
  NormalisedPolicy,
} from './normalised-policy.ts';
import { compareByAge } from './precedence.ts';

/** One policy on one target. */
export interface Attachment {
  readonly policy: NormalisedPolicy;
  readonly resource: AnyResource;
  readonly sectionName: string | null;
  /** Names the target in faults. */
  readonly key: string;
}

/** A policy that decides on the MCP methods of a backend, or of one of its targets. */
export interface McpAttachment {
  readonly section: AuthorizationSection;
  readonly target: string | null;
}

export interface Attachments {
  readonly all: readonly Attachment[];
  /** Policies on exactly this target, the oldest first. */
  on(resource: AnyResource, sectionName: string | null): readonly NormalisedPolicy[];
  /** Policies that a rule names in ExtensionRef filters, the oldest first. */
  onRule(route: AnyResource, ruleIndex: number): readonly NormalisedPolicy[];
  /** What the oldest policy on the whole backend that speaks of tokens says of them, or `null`. */
  authenticationOn(backend: AnyResource): AuthenticationSection | null;
  /** The whole backend's first, then those of single targets. */
  onBackend(backend: AnyResource): readonly McpAttachment[];
}

const extensionGroups: Readonly<Record<string, string>> = {
  GlooTrafficPolicy: 'gloo.solo.io',
  TrafficPolicy: 'gateway.kgateway.dev',
  EnterpriseKgatewayTrafficPolicy: 'enterprisekgateway.solo.io',
};

/**
 * Attaches policies to what they target and to the rules that refer to them. A section that can have no
 * effect on its target is an error, because whoever wrote it relies on it. Where several policies of one
 * level say something of tokens, the oldest wins, then the first by name; the others are reported
 * (Attached: False, Overridden).
 */
export function attachPolicies(
  context: LinkContext,
  policies: readonly NormalisedPolicy[],
  routes: readonly LinkedRoute[],
): Attachments {
  const all: Attachment[] = [];
  const byKey = new Map<string, NormalisedPolicy[]>();
  const attach = (attachment: Attachment): void => {
    const { policy, key } = attachment;
    const same = byKey.get(key) ?? [];
    if (same.includes(policy)) return;
    byKey.set(
      key,
      [...same, policy].sort((a, b) => compareByAge(a.resource, b.resource)),
    );
    all.push(attachment);
  };

  for (const policy of policies) {
    for (const target of policy.targets) {
      if (!fitsTarget(context, policy, target)) continue;
      const { resource, sectionName } = target;
      attach({ policy, resource, sectionName, key: targetKey(resource, sectionName) });
    }
  }
  for (const { resource: route, rules } of routes) {
    for (const { index, name, extensions } of rules) {
      for (const extension of extensions) {
        const policy = findExtension(context, policies, route, extension);
        if (policy === null) continue;
        checkHttpSections(context, policy);
        const key = extensionKey(route, index);
        attach({ policy, resource: route, sectionName: name, key });
      }
    }
  }
  for (const policy of policies) checkUnattached(context, policy, all);
  for (const [key, same] of byKey) reportOverridden(context, same, key);

  const on = (key: string): readonly NormalisedPolicy[] => byKey.get(key) ?? [];
  return {
    all,
    on: (resource, sectionName) => on(targetKey(resource, sectionName)),
    onRule: (route, ruleIndex) => on(extensionKey(route, ruleIndex)),
    authenticationOn: (backend) =>
      on(targetKey(backend, null)).find(
        ({ backendAuthentication }) => backendAuthentication !== null,
      )?.backendAuthentication ?? null,
    onBackend: (backend) =>
      [null, ...sectionNames(backend)].flatMap((target) =>
        on(targetKey(backend, target)).flatMap(({ mcpAuthorization: section }) =>
          section === null ? [] : [{ section, target }],
        ),
      ),
  };
}

function fitsTarget(context: LinkContext, policy: NormalisedPolicy, target: PolicyTarget): boolean {
  const { resource, sectionName, path } = target;
  const { report } = context;
  const sections = partsOf(resource);
  if (sectionName !== null && !sections.includes(sectionName)) {
    const list = sections.length === 0 ? 'none with a name' : sections.join(', ');
    report.error(
      policy.resource,
      [...path, 'sectionName'],
      `${resource.kind} ${resource.name} has no ${partName(resource)} ${sectionName}; it has ${list}`,
    );
    return false;
  }
  if (isBackendKind(resource.kind) || resource.kind === 'Service') {
    return fitsBackend(context, policy, target);
  }
  if (policy.hasBackendTls) {
    refuseSection(context, policy, ['spec', 'backend', 'tls'], resource, 'target the backend');
  }
  if (policy.mcpAuthorization !== null && policy.mcpAuthorization !== policy.httpAuthorization) {
    refuseSection(context, policy, policy.mcpAuthorization.path, resource, 'target the backend');
  }
  if (policy.backendAuthentication !== null) {
    const { path: at } = policy.backendAuthentication;
    refuseSection(context, policy, at, resource, 'target the backend');
  }
  checkHttpSections(context, policy);
  return true;
}

function fitsBackend(
  context: LinkContext,
  policy: NormalisedPolicy,
  { resource, sectionName }: PolicyTarget,
): boolean {
  const limits = policy.localRateLimit ?? policy.globalRateLimit;
  if (limits !== null && (sectionName !== null || resource.kind === 'Service')) {
    const whole = 'target a whole backend, a route or a Gateway';
    refuseSection(context, policy, limits.path, resource, whole);
  }
  checkRateLimitKeys(context, policy, 'mcp');
  const { authentication, backendAuthentication, httpAuthorization, mcpAuthorization } = policy;
  const right = 'target a Gateway or HTTPRoute';
  if (authentication !== null) {
    refuseSection(context, policy, authentication.path, resource, right);
  }
  if (httpAuthorization !== null && httpAuthorization !== mcpAuthorization) {
    refuseSection(context, policy, httpAuthorization.path, resource, right);
  }
  if (backendAuthentication !== null && (sectionName !== null || !isMcpBackend(resource))) {
    const whole = 'target a backend of type MCP as a whole';
    refuseSection(context, policy, backendAuthentication.path, resource, whole);
  }
  if (mcpAuthorization === null) return true;
  if (resource.kind === 'Service' || !isMcpBackend(resource)) {
    refuseSection(context, policy, mcpAuthorization.path, resource, 'target a backend of type MCP');
    return false;
  }
  checkAuthorization(context, policy.resource, mcpAuthorization, 'mcp');
  return true;
}

function checkHttpSections(context: LinkContext, policy: NormalisedPolicy): void {
  checkRateLimitKeys(context, policy, 'http');
  if (policy.httpAuthorization === null) return;
  checkAuthorization(context, policy.resource, policy.httpAuthorization, 'http');
}

function checkRateLimitKeys(
  { report, checks }: LinkContext,
  { resource, localRateLimit, globalRateLimit }: NormalisedPolicy,
  scope: 'http' | 'mcp',
): void {
  for (const section of [localRateLimit, globalRateLimit]) {
    for (const { path, expression } of section?.expressions ?? []) {
      for (const problem of checks.checkTextExpression(expression, scope)) {
        report.error(resource, path, problem);
      }
    }
  }
}

function refuseSection(
  { report }: LinkContext,
  { resource: policy }: NormalisedPolicy,
  path: FieldPath,
  target: AnyResource,
  right: string,
): void {
  report.error(policy, path, `has no effect on ${target.kind} ${target.name}; ${right} instead`);
}

function checkUnattached(
  context: LinkContext,
  policy: NormalisedPolicy,
  all: readonly Attachment[],
): void {
  if (all.some((attachment) => attachment.policy === policy)) return;
  checkHttpSections(context, policy);
  if (policy.mcpAuthorization !== null && policy.mcpAuthorization !== policy.httpAuthorization) {
    checkAuthorization(context, policy.resource, policy.mcpAuthorization, 'mcp');
  }
  if (policy.namesTargets) return;
  context.report.warning(
    policy.resource,
    ['spec'],
    'the policy has neither targetRefs nor targetSelectors, and no route refers to it: it has no effect',
    { type: 'Attached', reason: 'Pending' },
  );
}

function reportOverridden(
  context: LinkContext,
  policies: readonly NormalisedPolicy[],
  key: string,
): void {
  for (const part of [
    'authentication',
    'backendAuthentication',
    'localRateLimit',
    'globalRateLimit',
  ] as const) {
    reportOverriddenPart(context, policies, key, part);
  }
}

function reportOverriddenPart(
  { report }: LinkContext,
  policies: readonly NormalisedPolicy[],
  key: string,
  part: 'authentication' | 'backendAuthentication' | 'localRateLimit' | 'globalRateLimit',
): void {
  const [winner, ...losers] = policies.filter((policy) => policy[part] !== null);
  for (const loser of losers) {
    const path = loser[part]?.path;
    if (path === undefined || winner === undefined) continue;
    const { kind, namespace, name } = winner.resource;
    const others =
      part === 'authentication'
        ? loser.httpAuthorization
        : part === 'backendAuthentication'
          ? loser.mcpAuthorization
          : true;
    report.warning(
      loser.resource,
      path,
      `is overridden by ${resourceLabel(kind, namespace, name)} on the same target: the oldest wins, then the first by name`,
      { type: 'Attached', reason: others === null ? 'Overridden' : 'Merged', about: key },
    );
  }
}

function findExtension(
  { report, resources }: LinkContext,
  policies: readonly NormalisedPolicy[],
  route: Resource<'HTTPRoute'>,
  { kind, group, name, path }: LinkedExtension,
): NormalisedPolicy | null {
  if (!Object.hasOwn(extensionGroups, kind) || extensionGroups[kind] !== group) {
    const right = Object.entries(extensionGroups).map(([one, of]) => `${one} (group "${of}")`);
    report.error(
      route,
      [...path, 'kind'],
      `unsupported ExtensionRef ${kind} (group "${group}"); use ${right.join(', ')}`,
      { type: 'ResolvedRefs', reason: 'InvalidKind' },
    );
    return null;
  }
  const found = policies.find(
    ({ resource }) =>
      resource.kind === kind && resource.namespace === route.namespace && resource.name === name,
  );
  if (found !== undefined) return found;
  if (!resources.isBroken(kind, route.namespace, name)) {
    report.error(route, [...path, 'name'], notFound(resources, kind, route.namespace, name), {
      type: 'ResolvedRefs',
      reason: 'BackendNotFound',
    });
  }
  return null;
}

function partsOf(resource: AnyResource): readonly string[] {
  if (resource.kind === 'Gateway') return resource.spec.listeners.map(({ name }) => name);
  if (resource.kind === 'HTTPRoute') {
    return (resource.spec.rules ?? []).flatMap(({ name }) => (name === undefined ? [] : [name]));
  }
  return sectionNames(resource);
}

function partName({ kind }: AnyResource): string {
  if (kind === 'Gateway') return 'listener';
  return kind === 'HTTPRoute' ? 'rule named' : kind === 'Service' ? 'port' : 'target';
}

function isMcpBackend(resource: AnyResource): boolean {
  return isBackendKind(resource.kind) && 'mcp' in resource.spec && resource.spec.mcp !== undefined;
}

function extensionKey(route: AnyResource, ruleIndex: number): string {
  return `ExtensionRef/${route.namespace}/${route.name}/${ruleIndex}`;
}
