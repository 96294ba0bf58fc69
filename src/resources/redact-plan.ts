import type {
  AuthenticationPlan,
  FilterPlan,
  HeaderPlan,
  ListenerPlan,
  MatchPlan,
  Plan,
  ProviderPlan,
  RulePlan,
  ValueMatchPlan,
} from '../plan.ts';
import { shownUrl } from '../shown-url.ts';
import { isCredentialHeader } from './link/secret-values.ts';

const redacted = '[redacted]';

/**
 * Copies a plan for people to read, without what is secret in it: private keys, header and query values that are
 * credentials by name or came from the environment, and query and user information of URLs that keys are fetched from.
 *
 * @param hidden further texts to leave out wherever an expression or a match holds one of them; see
 *   {@link environmentTexts}
 */
export function redactPlan(plan: Plan, hidden: ReadonlySet<string> = new Set()): Plan {
  return {
    ...plan,
    ports: plan.ports.map((port) => ({
      ...port,
      listeners: port.listeners.map((listener) => redactListener(listener, hidden)),
    })),
    localRateLimits: plan.localRateLimits.map((limit) => ({
      ...limit,
      key: limit.key !== null && hidden.has(limit.key) ? redacted : limit.key,
    })),
    globalRateLimits: plan.globalRateLimits.map((limit) => ({
      ...limit,
      descriptors: limit.descriptors.map((entries) =>
        entries.map(({ name, expression }) => ({
          name,
          expression: hidden.has(expression) ? redacted : expression,
        })),
      ),
    })),
    authentications: plan.authentications.map(redactAuthentication),
    authorizations: plan.authorizations.map((authorization) => ({
      ...authorization,
      expressions: authorization.expressions.map((text) => (hidden.has(text) ? redacted : text)),
    })),
  };
}

function redactListener(listener: ListenerPlan, hidden: ReadonlySet<string>): ListenerPlan {
  return {
    ...listener,
    tls: listener.tls === null ? null : { ...listener.tls, privateKeyPem: redacted },
    rules: listener.rules.map((rule): RulePlan => ({
      ...rule,
      matches: rule.matches.map((match) => redactMatch(match, hidden)),
      filters: rule.filters.map(redactFilter),
      backends: rule.backends.map((backend) => ({
        ...backend,
        filters: backend.filters.map(redactFilter),
      })),
    })),
  };
}

function redactMatch(match: MatchPlan, hidden: ReadonlySet<string>): MatchPlan {
  const redactValue = (condition: ValueMatchPlan): ValueMatchPlan =>
    hidden.has(condition.value) || isCredentialHeader(condition.name.toLowerCase())
      ? { ...condition, value: redacted }
      : condition;
  return {
    ...match,
    headers: match.headers.map(redactValue),
    queryParams: match.queryParams.map(redactValue),
  };
}

function redactFilter(filter: FilterPlan): FilterPlan {
  if (filter.type === 'URLRewrite' || filter.type === 'RequestRedirect') return filter;
  return { ...filter, set: filter.set.map(redactHeader), add: filter.add.map(redactHeader) };
}

function redactHeader(header: HeaderPlan): HeaderPlan {
  const secret = header.sensitive === true || isCredentialHeader(header.name);
  return secret ? { ...header, value: redacted } : header;
}

function redactAuthentication(authentication: AuthenticationPlan): AuthenticationPlan {
  return {
    ...authentication,
    providers: authentication.providers.map((provider): ProviderPlan => {
      const { keys } = provider;
      if (keys.source === 'local') return provider;
      return { ...provider, keys: { ...keys, url: shownUrl(keys.url) } };
    }),
  };
}
