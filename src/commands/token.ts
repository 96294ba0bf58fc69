import { text } from 'node:stream/consumers';
import { explainToken, renderTokenExplanation } from '../authenticate/explain-token.ts';
import { createPlanLoader } from '../load-plan.ts';
import type { ParsedOptions } from '../options.ts';
import { systemClock } from '../units.ts';
import { reportProblems } from './report-problems.ts';

/**
 * `postern token TOKEN`: says, without touching the network, which provider of which policy accepts the
 * token, or why none does. `-` reads the token from standard input, so that it stays out of the process
 * list.
 *
 * @returns exit code 0 when any provider accepts it, 1 when none does or the resources are wrong
 */
export async function token({
  options,
  positionals,
}: Extract<ParsedOptions, { ok: true }>): Promise<number> {
  const [given, ...more] = positionals;
  if (given === undefined || more.length > 0) {
    process.stderr.write(
      'postern: token needs exactly one TOKEN, or - to read it from standard input\n',
    );
    return 2;
  }
  if (given === '-' && options.files.includes('-')) {
    process.stderr.write(
      'postern: the token and the resources cannot both come from standard input\n',
    );
    return 2;
  }
  const { plan, problems } = await createPlanLoader(options)(1);
  reportProblems(problems);
  if (plan === null) return 1;
  const compact = given === '-' ? await text(process.stdin) : given;
  const explanation = await explainToken(compact, plan.authentications, systemClock());
  process.stdout.write(`${renderTokenExplanation(explanation).trimEnd()}\n`);
  return explanation.accepted ? 0 : 1;
}
