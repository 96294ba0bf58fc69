/**
 * From the paths on the command line to a checked plan: the one way in for `run`, its reloads, `check` and
 * `token`.
 */

import { checkExpression } from './authorize/rule.ts';
import { checkTextExpression } from './authorize/text-expression.ts';
import type { RunOptions } from './options.ts';
import type { Plan } from './plan.ts';
import { checkRegularExpression } from './re2.ts';
import { compilePlan } from './resources/compile.ts';
import type { ResourceStatus } from './resources/conditions.ts';
import { environmentTexts } from './resources/environment-texts.ts';
import { loadResources } from './resources/load.ts';
import type { Problem } from './resources/problem.ts';
import { createSourceReader } from './sources/files.ts';

export interface LoadedPlan {
  /** `null` when there is any error. */
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
  readonly statuses: readonly ResourceStatus[];
  /** Texts that hold something from the environment: never to be shown. */
  readonly hidden: ReadonlySet<string>;
  /** What the files looked like when they were read. */
  readonly fingerprint: string;
}

/** Reads, checks and compiles all resources anew; the plan gets the number given. */
export type LoadPlan = (generation: number) => Promise<LoadedPlan>;

/**
 * Makes the function that loads the resources of the command line. It touches files and nothing else, and
 * collects every problem. Standard input is read the first time and remembered.
 */
export function createPlanLoader(
  options: Pick<RunOptions, 'files' | 'strict' | 'authFailureStatus'>,
): LoadPlan {
  const reader = createSourceReader(options.files, process.stdin);
  return async (generation) => {
    const sources = await reader.read();
    const loaded = loadResources(sources.texts, {
      environment: process.env,
      strict: options.strict,
    });
    const compiled = compilePlan(loaded.resources, {
      generation,
      checks: { checkExpression, checkTextExpression, checkRegularExpression },
      loadFailed: [...sources.problems, ...loaded.problems].some(isError),
    });
    const problems = [...sources.problems, ...loaded.problems, ...compiled.problems];
    return {
      plan:
        problems.some(isError) || compiled.plan === null
          ? null
          : withFailureStatus(compiled.plan, options.authFailureStatus),
      problems,
      statuses: compiled.statuses,
      hidden: environmentTexts(loaded.resources),
      fingerprint: sources.fingerprint,
    };
  };
}

/** The process option replaces what the kinds of the policies say. */
function withFailureStatus(plan: Plan, status: RunOptions['authFailureStatus']): Plan {
  if (status === 'auto') return plan;
  return {
    ...plan,
    authentications: plan.authentications.map((policy) => ({ ...policy, failureStatus: status })),
  };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
