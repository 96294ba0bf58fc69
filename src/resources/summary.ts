import type { ListenerPlan, MatchPlan, Plan, PortPlan, RulePlan, TargetPlan } from '../plan.ts';
import type { Condition, ResourceStatus } from './conditions.ts';
import { escapeControls } from './problem.ts';
import { resourceLabel } from './resource.ts';

/**
 * Says in a few lines what a plan does: listeners, routes with their backends and policies, backends, and
 * what each policy is attached to. Shows no secrets.
 */
export function renderSummary(plan: Plan, statuses: readonly ResourceStatus[]): string {
  const lines = [
    'Listeners',
    ...plan.ports.flatMap((port) => port.listeners.map((listener) => listenerLine(port, listener))),
    'Routes',
    ...plan.ports.flatMap((port) =>
      port.listeners.flatMap((listener) =>
        listener.rules.flatMap((rule) => ruleLines(plan, listener, rule)),
      ),
    ),
    'Backends',
    ...plan.backends.flatMap(({ type, name, targets, mcpAuthorizations }) => [
      `  ${type} ${name}`,
      ...targets.map(targetLine),
      ...mcpAuthorizations.map(
        ({ authorization, target }) =>
          `    MCP authorization${target === null ? '' : ` on ${target}`}: ${authorizationText(plan, authorization)}`,
      ),
    ]),
    'Policies',
    ...statuses.flatMap(policyLines),
  ];
  return `${lines.map(escapeControls).join('\n')}\n`;
}

function listenerLine({ address, port, protocol }: PortPlan, listener: ListenerPlan): string {
  const host = listener.hostname ?? 'any host';
  const where = address?.includes(':') === true ? `[${address}]` : (address ?? '*');
  const rules = listener.rules.length === 1 ? '1 rule' : `${listener.rules.length} rules`;
  return `  ${listener.gateway} ${listener.name}: ${protocol} ${where}:${port}, ${host}, ${rules}`;
}

function ruleLines(plan: Plan, listener: ListenerPlan, rule: RulePlan): readonly string[] {
  const hosts = rule.hostnames.length === 0 ? '' : ` for ${rule.hostnames.join(', ')}`;
  const name = rule.name === null ? '' : ` (${rule.name})`;
  const backends = rule.backends.map(({ backend, invalid, weight }) => {
    const plain = backend === null ? undefined : plan.backends[backend];
    const text = plain === undefined ? `500: ${invalid ?? ''}` : `${plain.type} ${plain.name}`;
    return rule.backends.length === 1 ? text : `${text} (weight ${weight})`;
  });
  const redirects = rule.filters.some(({ type }) => type === 'RequestRedirect');
  const filters = [
    ...(rule.cors === null ? [] : ['CORS']),
    ...rule.filters.map((filter) => filter.type),
  ];
  return [
    `  ${rule.route} rule ${rule.index}${name} on ${listener.gateway} ${listener.name}${hosts}`,
    ...rule.matches.map((match) => `    match: ${matchText(match)}`),
    ...(filters.length === 0 ? [] : [`    filters: ${filters.join(', ')}`]),
    ...(backends.length === 0
      ? [redirects ? '    to: a redirect' : '    to: 500, no backend']
      : backends.map((backend) => `    to: ${backend}`)),
    ...(rule.authentications.length === 0 ? ['    authentication: none'] : []),
    ...rule.authentications.map(
      (index) => `    authentication: ${authenticationText(plan, index)}`,
    ),
    ...metadataLines(plan, rule),
    ...rule.authorizations.map((index) => `    authorization: ${authorizationText(plan, index)}`),
  ];
}

/** What OAuth clients are told of a rule that is a protected resource (RFC 9728). */
function metadataLines(plan: Plan, rule: RulePlan): readonly string[] {
  const policies = rule.authentications.flatMap((index) => plan.authentications[index] ?? []);
  const policy = policies.find(({ protectedResource }) => protectedResource !== undefined);
  const { protectedResource } = policy ?? {};
  if (policy === undefined || protectedResource === undefined) return [];
  const paths = rule.matches
    .map(({ path }) => path)
    .filter(({ type, value }) => type !== 'RegularExpression' && !value.startsWith('/.well-known/'))
    .map(({ value }) => `/.well-known/oauth-protected-resource${value.replace(/\/$/, '')}`);
  const { resource, authorizationServers, scopesSupported } = protectedResource;
  const audiences = policy.providers.flatMap((provider) => provider.audiences ?? ['its URL']);
  const scopes = scopesSupported.length === 0 ? '' : `, scopes ${scopesSupported.join(' ')}`;
  return [
    `    OAuth metadata: ${[...new Set(paths)].join(', ')}`,
    `      resource ${resource ?? 'its URL'}, audience ${[...new Set(audiences)].join(' or ')}, ` +
      `authorization server ${authorizationServers.join(', ')}${scopes}`,
  ];
}

function matchText({ path, method, headers, queryParams }: MatchPlan): string {
  return [
    ...(method === null ? [] : [method]),
    `${path.type} ${path.value}`,
    ...headers.map(({ name }) => `header ${name}`),
    ...queryParams.map(({ name }) => `query parameter ${name}`),
  ].join(', ');
}

function authenticationText(plan: Plan, index: number): string {
  const policy = plan.authentications[index];
  if (policy === undefined) return '';
  const providers = policy.providers.map(({ name }) => name).join(', ');
  const scopes =
    policy.requiredScopes === undefined ? '' : `, scopes ${policy.requiredScopes.join(' ')}`;
  return `${policy.policyKind} ${policy.policy} (${policy.mode}, ${policy.failureStatus}, providers ${providers}${scopes})`;
}

function authorizationText(plan: Plan, index: number): string {
  const policy = plan.authorizations[index];
  if (policy === undefined) return '';
  const { length } = policy.expressions;
  const rules = length === 1 ? '1 expression' : `${length} expressions`;
  return `${policy.policyKind} ${policy.policy} (${policy.action}, ${rules})`;
}

function targetLine({ name, host, port, path, protocol, tls }: TargetPlan): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const url = `${tls === null ? 'http' : 'https'}://${authority}${path ?? ''}`;
  const verified = tls === null ? '' : `, verified for ${tls.serverName} by ${tls.policy}`;
  return `    ${name}: ${protocol} ${url}${verified}`;
}

function policyLines({ kind, namespace, name, status }: ResourceStatus): readonly string[] {
  if (!kind.endsWith('Policy')) return [];
  const label = resourceLabel(kind, namespace, name);
  const lines = (status.ancestors ?? []).map(({ ancestorRef: ref, conditions }) => {
    const section = ref.sectionName === undefined ? '' : `/${ref.sectionName}`;
    const target = resourceLabel(ref.kind, ref.namespace, ref.name);
    return `  ${label} on ${target}${section}: ${reasons(conditions)}`;
  });
  return lines.length > 0 ? lines : [`  ${label}: ${reasons(status.conditions ?? [])}`];
}

function reasons(conditions: readonly Condition[]): string {
  return conditions
    .map(({ type, status, reason }) => (status === 'True' ? type : `not ${type} (${reason})`))
    .join(', ');
}
