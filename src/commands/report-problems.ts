import { formatProblem, type Problem } from '../resources/problem.ts';

/** Writes every problem to standard error, errors as they are and warnings marked, one line each. */
export function reportProblems(problems: readonly Problem[]): void {
  for (const problem of problems) {
    const mark = problem.severity === 'warning' ? 'warning: ' : '';
    process.stderr.write(`${mark}${formatProblem(problem)}\n`);
  }
}
