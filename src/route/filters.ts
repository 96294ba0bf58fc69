import type { HeaderFields, RequestHead } from '../accept/request-head.ts';
import type { FilterPlan } from '../plan.ts';
import { compileHeaderModifier } from './header-modifier.ts';
import { compilePathModifier } from './path-modifier.ts';
import { compileRedirect } from './redirect-location.ts';

/** The compiled filters of one rule or one backendRef, without CORS. */
export interface CompiledFilters {
  /** The `location` and status of RequestRedirect, or `null` where there is no such filter. */
  readonly redirect: ((head: RequestHead, matchedPrefixLength: number) => Redirect) | null;
  /** The path and host of URLRewrite, or `null` where there is no such filter. */
  readonly rewrite: ((head: RequestHead, matchedPrefixLength: number) => Rewritten) | null;
  /** Changes header fields in place (RequestHeaderModifier), or `null`. */
  readonly modifyRequestHeaders: ((headers: HeaderFields) => void) | null;
  /** Changes header fields in place (ResponseHeaderModifier), or `null`. */
  readonly modifyResponseHeaders: ((headers: HeaderFields) => void) | null;
}

export interface Redirect {
  readonly status: number;
  readonly location: string;
}

export interface Rewritten {
  /** Without the query; `null` keeps the request's. */
  readonly path: string | null;
  /** `null` keeps the request's. */
  readonly host: string | null;
}

/**
 * Prepares the filters of one rule or one backendRef (Gateway API, HTTPRouteFilter). Header modifiers of
 * one kind run in the order given; of several redirects or rewrites, which the specification forbids, the
 * first one counts.
 *
 * @param plans names of hosts and header fields in lower case
 * @returns functions for the kinds of filter that are there, `null` for the others
 */
export function compileFilters(plans: readonly FilterPlan[]): CompiledFilters {
  let redirect: CompiledFilters['redirect'] = null;
  let rewrite: CompiledFilters['rewrite'] = null;
  const requestModifiers: ((headers: HeaderFields) => void)[] = [];
  const responseModifiers: ((headers: HeaderFields) => void)[] = [];
  for (const plan of plans) {
    switch (plan.type) {
      case 'RequestHeaderModifier':
        requestModifiers.push(compileHeaderModifier(plan));
        break;
      case 'ResponseHeaderModifier':
        responseModifiers.push(compileHeaderModifier(plan));
        break;
      case 'RequestRedirect':
        redirect ??= compileRedirect(plan);
        break;
      case 'URLRewrite':
        rewrite ??= compileRewrite(plan);
        break;
    }
  }
  return {
    redirect,
    rewrite,
    modifyRequestHeaders: inOrder(requestModifiers),
    modifyResponseHeaders: inOrder(responseModifiers),
  };
}

function compileRewrite(
  plan: Extract<FilterPlan, { type: 'URLRewrite' }>,
): (head: RequestHead, matchedPrefixLength: number) => Rewritten {
  const host = plan.hostname;
  if (plan.path === null) {
    const rewritten = { path: null, host };
    return () => rewritten;
  }
  const modifyPath = compilePathModifier(plan.path);
  return (head, matchedPrefixLength) => ({
    path: modifyPath(head.path, matchedPrefixLength),
    host,
  });
}

function inOrder(
  modifiers: readonly ((headers: HeaderFields) => void)[],
): ((headers: HeaderFields) => void) | null {
  const [first, ...others] = modifiers;
  if (first === undefined) return null;
  if (others.length === 0) return first;
  return (headers) => {
    for (const modify of modifiers) modify(headers);
  };
}
