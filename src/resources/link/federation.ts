import type { FederationPlan, TargetPlan } from '../../plan.ts';
import type { AnyResource } from '../resource.ts';
import type { LinkContext } from './context.ts';

/** The fields of AgentgatewayBackend that say how several targets are one server; Backend has none of them. */
export interface FederationFields {
  readonly prefixMode?: 'Conditional' | 'Always' | 'Never';
  readonly failureMode?: 'FailClosed' | 'FailOpen';
}

/** `_` and `+` stand between target and name, and other characters would need an escape somewhere. */
const TARGET_NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/;

/**
 * Decides whether the targets of an MCP backend are a federation: several are, and a single one whose names are to be
 * prefixed all the same (prefixMode Always). Defaults: Conditional, FailClosed.
 *
 * Reports target names that could not be told from the names behind them.
 */
export function linkFederation(
  { report }: LinkContext,
  backend: AnyResource,
  targets: readonly TargetPlan[],
  { prefixMode = 'Conditional', failureMode = 'FailClosed' }: FederationFields,
): FederationPlan | null {
  if (targets.length < 2 && prefixMode !== 'Always') return null;
  for (const { name } of targets) {
    if (TARGET_NAME.test(name)) continue;
    report.error(
      backend,
      ['spec', 'mcp', 'targets'],
      `the target name ${JSON.stringify(name)} can't stand in front of a tool's: use letters, digits, "-" and "." in a backend with several targets, since the first "_" ends the target's name`,
    );
  }
  return { isPrefixed: prefixMode !== 'Never', failureMode };
}
