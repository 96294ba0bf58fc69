import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadResources } from '../../src/resources/load.ts';
import { formatProblem } from '../../src/resources/problem.ts';

/** One bad text, and every problem that must be reported for it: severity and the formatted line. */
export interface ProblemRow {
  readonly name: string;
  readonly text: string;
  readonly strict?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

/** Makes one test of each row. The text is loaded under the file name `t.yaml`. */
export function testProblems(rows: readonly ProblemRow[]): void {
  for (const { name, text, strict = false, environment = {}, problems } of rows) {
    test(name, () => {
      const loaded = loadResources([{ file: 't.yaml', text }], { environment, strict });
      const lines = loaded.problems.map((p) => `${p.severity} ${formatProblem(p)}`);
      assert.deepEqual(lines, problems);
    });
  }
}
