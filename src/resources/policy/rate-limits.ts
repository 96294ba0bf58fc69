import type { GlobalRateLimitPlan, LocalRateLimitPlan } from '../../plan.ts';
import { parseDuration } from '../duration.ts';
import type { AgentgatewayRateLimit, TrafficRateLimitEntry } from '../kinds/rate-limit.ts';
import type { TrafficPolicySpec } from '../kinds/traffic-policy.ts';
import type { LinkContext } from '../link/context.ts';
import type { FieldPath } from '../problem.ts';
import type { AnyResource } from '../resource.ts';
import type { NormalisedPolicy, RateLimitSection } from './normalised-policy.ts';

/** CEL of the text that the requests of a local limit are counted under. */
const keyAnnotation = 'postern.dev/rate-limit-key';
/** `REQUESTS/WINDOW`: the numbers of a global limit, which the resources leave to a service. */
const limitAnnotation = 'postern.dev/global-rate-limit';
/** `FailClosed` or `FailOpen`, where the kind has no field for it. */
const failureAnnotation = 'postern.dev/rate-limit-failure-mode';

const annotations = ['metadata', 'annotations'];
const shortestFillMs = 50;
const longestWindowMs = 31 * 24 * 3_600_000;
const unitMs = { Seconds: 1000, Minutes: 60_000, Hours: 3_600_000 } as const;

type Sections = Pick<NormalisedPolicy, 'localRateLimit' | 'globalRateLimit'>;
type Descriptors = GlobalRateLimitPlan['descriptors'];
type Expressions = RateLimitSection<unknown>['expressions'];

/** Normalises `rateLimit` of a GlooTrafficPolicy and its relatives. */
export function trafficRateLimits(
  context: LinkContext,
  policy: AnyResource & { readonly spec: Pick<TrafficPolicySpec, 'rateLimit'> },
): Sections {
  const { local, global } = policy.spec.rateLimit ?? {};
  const path = ['spec', 'rateLimit'];
  const bucket = local?.tokenBucket;
  const fillIntervalMs = parseDuration(bucket?.fillInterval ?? '1s') ?? 0;
  if (fillIntervalMs < shortestFillMs) {
    const at = [...path, 'local', 'tokenBucket', 'fillInterval'];
    context.report.error(policy, at, `must be at least ${shortestFillMs}ms`);
  }
  const buckets =
    bucket === undefined
      ? []
      : [{ maxTokens: bucket.maxTokens, tokensPerFill: bucket.tokensPerFill ?? 1, fillIntervalMs }];
  const descriptors = (global?.descriptors ?? []).map(({ entries }, index) =>
    entries.map((entry, at) =>
      celOf(context, policy, entry, [...path, 'global', 'descriptors', index, 'entries', at]),
    ),
  );
  const failureMode = policy.annotations[failureAnnotation] ?? 'FailClosed';
  if (failureMode !== 'FailClosed' && failureMode !== 'FailOpen') {
    const at = [...annotations, failureAnnotation];
    context.report.error(policy, at, 'must be FailClosed or FailOpen');
  }
  return {
    localRateLimit: local === undefined ? null : localSection(policy, buckets, [...path, 'local']),
    globalRateLimit:
      global === undefined
        ? null
        : globalSection(context, policy, [...path, 'global'], {
            domain: null,
            failureMode: failureMode === 'FailOpen' ? 'FailOpen' : 'FailClosed',
            descriptors,
            expressions: [],
          }),
  };
}

/** Normalises `traffic.rateLimit` of an Agentgateway policy. */
export function agentgatewayRateLimits(
  context: LinkContext,
  policy: AnyResource,
  spec: AgentgatewayRateLimit | undefined,
): Sections {
  const { local, global } = spec ?? {};
  const path = ['spec', 'traffic', 'rateLimit'];
  const buckets = (local ?? []).map(({ requests = 1, unit, burst = 0 }) => ({
    maxTokens: requests + burst,
    ...steadily(requests, unitMs[unit]),
  }));
  const expressions = (global?.descriptors ?? []).flatMap(({ entries }, index) =>
    entries.map(({ expression }, at) => ({
      path: [...path, 'global', 'descriptors', index, 'entries', at, 'expression'],
      expression,
    })),
  );
  return {
    localRateLimit: local === undefined ? null : localSection(policy, buckets, [...path, 'local']),
    globalRateLimit:
      global === undefined
        ? null
        : globalSection(context, policy, [...path, 'global'], {
            domain: global.domain ?? null,
            failureMode: global.failureMode ?? 'FailClosed',
            descriptors: global.descriptors.map(({ entries }) => entries),
            expressions,
          }),
  };
}

/** Spreads the requests of a unit evenly over it, as far as a timer of milliseconds can. */
function steadily(
  requests: number,
  unit: number,
): { tokensPerFill: number; fillIntervalMs: number } {
  const tokensPerFill = Math.ceil(requests / unit);
  return { tokensPerFill, fillIntervalMs: (unit * tokensPerFill) / requests };
}

function localSection(
  policy: AnyResource,
  buckets: LocalRateLimitPlan['buckets'],
  path: FieldPath,
): RateLimitSection<LocalRateLimitPlan> {
  const key = policy.annotations[keyAnnotation] ?? null;
  const expressions =
    key === null ? [] : [{ path: [...annotations, keyAnnotation], expression: key }];
  if (buckets.length === 0) return { path, plan: null, expressions };
  return { path, plan: { ...nameOf(policy), key, buckets }, expressions };
}

function globalSection(
  { report }: LinkContext,
  policy: AnyResource,
  path: FieldPath,
  parts: Pick<GlobalRateLimitPlan, 'failureMode'> & {
    readonly domain: string | null;
    readonly descriptors: Descriptors;
    readonly expressions: Expressions;
  },
): RateLimitSection<GlobalRateLimitPlan> {
  const { expressions, failureMode, descriptors } = parts;
  const name = nameOf(policy);
  const limit = readLimit(policy.annotations[limitAnnotation]);
  if (limit === null) {
    const at = [...annotations, limitAnnotation];
    const message = `must say how many requests in how long, in whole seconds up to 31 days, such as "100/1m"`;
    report.error(
      policy,
      policy.annotations[limitAnnotation] === undefined ? path : at,
      `the annotation ${limitAnnotation} ${message}`,
    );
    return { path, plan: null, expressions };
  }
  const domain = parts.domain ?? name.policy;
  return { path, plan: { ...name, domain, ...limit, failureMode, descriptors }, expressions };
}

function readLimit(
  text: string | undefined,
): Pick<GlobalRateLimitPlan, 'requests' | 'windowSeconds'> | null {
  const [, count, window = ''] = /^(\d{1,9})\/([^/]+)$/.exec(text ?? '') ?? [];
  const requests = Number(count);
  const windowMs = parseDuration(window) ?? 0;
  const fits = windowMs >= 1000 && windowMs <= longestWindowMs && windowMs % 1000 === 0;
  return requests >= 1 && fits ? { requests, windowSeconds: windowMs / 1000 } : null;
}

/** The CEL that says what an entry of kgateway's descriptors says. */
function celOf(
  { report }: LinkContext,
  policy: AnyResource,
  { type, generic, header }: TrafficRateLimitEntry,
  path: FieldPath,
): Descriptors[number][number] {
  switch (type) {
    case 'RemoteAddress':
      return { name: 'remote_address', expression: 'source.address' };
    case 'Path':
      return { name: 'path', expression: 'request.path' };
    case 'Header':
      if (header === undefined) report.error(policy, path, 'a Header entry needs the field header');
      return {
        name: (header ?? '').toLowerCase(),
        expression: `request.headers[${JSON.stringify((header ?? '').toLowerCase())}]`,
      };
    case 'Generic':
      if (generic === undefined) {
        report.error(policy, path, 'a Generic entry needs the field generic');
      }
      return { name: generic?.key ?? '', expression: JSON.stringify(generic?.value ?? '') };
  }
}

function nameOf(policy: AnyResource): { readonly policy: string; readonly policyKind: string } {
  return { policy: `${policy.namespace}/${policy.name}`, policyKind: policy.kind };
}
