import { createPlanLoader } from '../load-plan.ts';
import type { ParsedOptions } from '../options.ts';
import { renderStatuses } from '../resources/render-statuses.ts';
import { renderSummary } from '../resources/summary.ts';
import { reportProblems } from './report-problems.ts';

/**
 * `postern check`: validates the resources without listening or touching the network. Problems go to standard
 * error, one line each, the result to standard output.
 *
 * @returns exit code 0, or 1 when there is any error
 */
export async function check({
  options,
  output,
}: Extract<ParsedOptions, { ok: true }>): Promise<number> {
  if (output !== null && output !== 'yaml') {
    process.stderr.write(`postern: --output must be yaml; is ${JSON.stringify(output)}\n`);
    return 2;
  }
  const { plan, problems, statuses } = await createPlanLoader(options)(1);
  reportProblems(problems);
  if (output === 'yaml') process.stdout.write(renderStatuses(statuses));
  else if (plan !== null) process.stdout.write(renderSummary(plan, statuses));
  return plan === null ? 1 : 0;
}
