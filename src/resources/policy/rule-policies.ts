import type { AuthenticationPlan, AuthorizationPlan } from '../../plan.ts';
import type { LinkedListener } from '../link/gateways.ts';
import type { AnyResource } from '../resource.ts';
import type { Attachments } from './attach.ts';

export interface RulePolicies {
  /** In the order in which they run. */
  readonly authentications: readonly AuthenticationPlan[];
  /** The most specific first. */
  readonly authorizations: readonly AuthorizationPlan[];
}

/**
 * Which policies apply to one rule of a route on one listener. Precedence: ExtensionRef of the rule > rule
 * by name > HTTPRoute > listener > Gateway. For authentication the most specific policy wins whole, also one
 * that turns it off; authorization of all levels counts together.
 */
export function rulePolicies(
  attachments: Attachments,
  listener: LinkedListener,
  route: AnyResource,
  rule: { readonly name: string | null; readonly index: number },
): RulePolicies {
  const levels = [
    attachments.onRule(route, rule.index),
    rule.name === null ? [] : attachments.on(route, rule.name),
    attachments.on(route, null),
    attachments.on(listener.gateway, listener.name),
    attachments.on(listener.gateway, null),
  ];
  const policies = levels.flat();
  const winner = policies.find(({ authentication }) => authentication !== null);
  const authorizations = policies.flatMap(({ httpAuthorization }) =>
    httpAuthorization === null ? [] : [httpAuthorization.plan],
  );
  return {
    authentications: winner?.authentication?.plans ?? [],
    authorizations: [...new Set(authorizations)],
  };
}
