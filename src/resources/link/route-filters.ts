import type {
  CorsPlan,
  FilterPlan,
  HeaderModifierPlan,
  HeaderPlan,
  MatchPlan,
  PathModifierPlan,
} from '../../plan.ts';
import type { CorsFilter, HeaderFilter } from '../kinds/common.ts';
import type { PathModifier, RouteFilter } from '../kinds/http-route.ts';
import type { FieldPath } from '../problem.ts';
import type { Fault } from '../report.ts';
import type { Resource } from '../resource.ts';
import type { LinkContext } from './context.ts';
import { headerNameProblem, headerValueProblem } from './header-fields.ts';
import { isSecretValue } from './secret-values.ts';

/** A policy that a rule names in an ExtensionRef filter. */
export interface LinkedExtension {
  readonly kind: string;
  readonly group: string;
  readonly name: string;
  readonly path: FieldPath;
}

export interface LinkedFilters {
  /** Without CORS and ExtensionRef, in the order written. */
  readonly filters: readonly FilterPlan[];
  readonly cors: CorsPlan | null;
  readonly extensions: readonly LinkedExtension[];
  readonly redirects: boolean;
}

const unsupported: Fault = { type: 'Accepted', reason: 'UnsupportedValue' };
const incompatible: Fault = { type: 'Accepted', reason: 'IncompatibleFilters' };
const defaultMaxAgeSeconds = 5;
const pathForm = /^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/;

/**
 * Links the filters of a rule or of a backendRef (HTTPRouteFilter of Gateway API). Reports header names that
 * no filter may touch, values that can't be sent, and what does not go together.
 *
 * @param at `backendRef` allows only filters that change the request and the answer
 * @param matches of the rule: ReplacePrefixMatch needs a prefix that was matched
 */
export function linkFilters(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  filters: readonly RouteFilter[],
  at: 'rule' | 'backendRef',
  matches: readonly MatchPlan[],
  path: FieldPath,
): LinkedFilters {
  const { report } = context;
  const linked: FilterPlan[] = [];
  const extensions: LinkedExtension[] = [];
  let cors: CorsPlan | null = null;
  let redirects = false;

  for (const [index, filter] of filters.entries()) {
    const here = [...path, index];
    const pathModifier = (
      modifier: PathModifier | undefined,
      block: string,
    ): PathModifierPlan | null =>
      modifier === undefined
        ? null
        : linkPathModifier(context, route, modifier, matches, [...here, block, 'path']);

    if (at === 'backendRef' && !allowedOnBackendRef.has(filter.type)) {
      report.error(
        route,
        [...here, 'type'],
        `unsupported filter type ${filter.type} on a backendRef; move it to the rule`,
        unsupported,
      );
      continue;
    }
    switch (filter.type) {
      case 'RequestHeaderModifier':
      case 'ResponseHeaderModifier': {
        const [block, modifier] =
          filter.type === 'RequestHeaderModifier'
            ? (['requestHeaderModifier', filter.requestHeaderModifier] as const)
            : (['responseHeaderModifier', filter.responseHeaderModifier] as const);
        const made = linkHeaders(context, route, modifier ?? {}, [...here, block]);
        linked.push({ type: filter.type, ...made });
        break;
      }
      case 'URLRewrite':
        linked.push({
          type: 'URLRewrite',
          hostname: filter.urlRewrite?.hostname?.toLowerCase() ?? null,
          path: pathModifier(filter.urlRewrite?.path, 'urlRewrite'),
        });
        break;
      case 'RequestRedirect':
        redirects = true;
        linked.push({
          type: 'RequestRedirect',
          scheme: filter.requestRedirect?.scheme ?? null,
          hostname: filter.requestRedirect?.hostname?.toLowerCase() ?? null,
          path: pathModifier(filter.requestRedirect?.path, 'requestRedirect'),
          port: filter.requestRedirect?.port ?? null,
          statusCode: filter.requestRedirect?.statusCode ?? 302,
        });
        break;
      case 'CORS':
        cors = linkCors(filter.cors ?? {});
        break;
      case 'ExtensionRef':
        if (filter.extensionRef !== undefined) {
          extensions.push({ ...filter.extensionRef, path: [...here, 'extensionRef'] });
        }
        break;
      case 'RequestMirror':
      case 'ExternalAuth':
        report.error(
          route,
          [...here, 'type'],
          `unsupported filter type ${filter.type}; use ${supported.join(', ')}`,
          unsupported,
        );
        break;
    }
  }

  return { filters: linked, cors, extensions, redirects };
}

const supported = [
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'CORS',
  'URLRewrite',
  'RequestRedirect',
  'ExtensionRef',
];
const allowedOnBackendRef: ReadonlySet<string> = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'URLRewrite',
]);

function linkHeaders(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  { set = [], add = [], remove = [] }: HeaderFilter,
  path: FieldPath,
): HeaderModifierPlan {
  const { report } = context;
  const name = (written: string, at: FieldPath): string => {
    const problem = headerNameProblem(written);
    if (problem !== null) report.error(route, at, problem, unsupported);
    return written.toLowerCase();
  };
  const values = (headers: readonly HeaderPlan[], field: string): readonly HeaderPlan[] =>
    headers.map((header, index) => {
      const at = [...path, field, index];
      const problem = headerValueProblem(header.value);
      if (problem !== null) report.error(route, [...at, 'value'], problem, unsupported);
      const lowerCase = name(header.name, [...at, 'name']);
      return {
        name: lowerCase,
        value: header.value,
        ...(isSecretValue(route.origin, lowerCase, [...at, 'value']) && { sensitive: true }),
      };
    });
  return {
    set: values(set, 'set'),
    add: values(add, 'add'),
    remove: remove.map((header, index) => name(header, [...path, 'remove', index])),
  };
}

function linkPathModifier(
  { report }: LinkContext,
  route: Resource<'HTTPRoute'>,
  { type, replaceFullPath, replacePrefixMatch }: PathModifier,
  matches: readonly MatchPlan[],
  path: FieldPath,
): PathModifierPlan {
  const value = (type === 'ReplaceFullPath' ? replaceFullPath : replacePrefixMatch) ?? '/';
  const field = type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch';
  if (value !== '' && !pathForm.test(value)) {
    report.error(
      route,
      [...path, field],
      'must be a path that starts with "/", without spaces, "?" and "#"',
      unsupported,
    );
  }
  if (type === 'ReplacePrefixMatch' && matches.some((match) => match.path.type !== 'PathPrefix')) {
    report.error(
      route,
      [...path, 'type'],
      'ReplacePrefixMatch needs every match of the rule to be of type PathPrefix',
      incompatible,
    );
  }
  return { type, value: value === '' ? '/' : value };
}

function linkCors(filter: CorsFilter): CorsPlan {
  return {
    allowOrigins: filter.allowOrigins ?? [],
    allowMethods: filter.allowMethods ?? [],
    allowHeaders: filter.allowHeaders ?? [],
    exposeHeaders: filter.exposeHeaders ?? [],
    allowCredentials: filter.allowCredentials ?? false,
    maxAgeSeconds: filter.maxAge ?? defaultMaxAgeSeconds,
  };
}
