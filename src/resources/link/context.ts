import type { EpochMilliseconds } from '../../units.ts';
import type { Report } from '../report.ts';
import type { ResourceSet } from '../resource.ts';

/** Checks that live in stage folders; the composition root hands them in. */
export interface PlanChecks {
  /**
   * Compiles a CEL expression.
   *
   * @param scope `http` for policies on Gateways and routes, `mcp` for those on a Backend
   * @returns what makes it unusable, and what will not work as its author may expect
   */
  checkExpression(
    expression: string,
    scope: 'http' | 'mcp',
    action: 'Allow' | 'Deny' | 'Require',
  ): { readonly problems: readonly string[]; readonly warnings: readonly string[] };
  /** Compiles a CEL expression that is to give a text; returns what makes it unusable. */
  checkTextExpression(expression: string, scope: 'http' | 'mcp'): readonly string[];
  /** Compiles an RE2 pattern; returns what is wrong with it, or `null`. */
  checkRegularExpression(pattern: string): string | null;
}

/** What every linking step needs. */
export interface LinkContext {
  readonly resources: ResourceSet;
  readonly report: Report;
  readonly checks: PlanChecks;
  readonly nowMs: EpochMilliseconds;
}
