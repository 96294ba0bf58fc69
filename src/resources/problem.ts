/**
 * What is wrong with the resources, said so that a reader finds the place and knows what would be right.
 */

/** A place in a source text. Line and column count from 1; the column counts UTF-16 code units. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  /** An error keeps the resources from being used; a warning does not. */
  readonly severity: 'error' | 'warning';
  /** `Kind/namespace/name`, `Kind/name` for a cluster-scoped kind, or `document N` (from 1). */
  readonly resource: string;
  /** `spec.listeners[0].port`; empty where the whole document is meant. */
  readonly path: string;
  /** What is wrong, and what would be right. Never holds a secret value. */
  readonly message: string;
}

/** Steps from the root of a document to a value: field names and list indexes. */
export type FieldPath = readonly (string | number)[];

/**
 * Writes a path as users know it: `spec.listeners[0].port`. A field name that is not a plain word is
 * quoted in brackets: `metadata.labels["app.kubernetes.io/name"]`.
 */
export function formatPath(path: FieldPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${String(step)}]`;
    else if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/**
 * One line: `file:line:column: Kind/namespace/name: spec.path: message`. The path and its colon are left
 * out where the path is empty. Control characters are escaped, so that no text forges a second line.
 */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${String(problem.line)}:${String(problem.column)}`;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return escapeControls(`${place}: ${problem.resource}: ${path}${problem.message}`);
}

/** Replaces control characters, line separators and lone surrogates by `\u` escapes. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
