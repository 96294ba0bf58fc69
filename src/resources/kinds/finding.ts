import type { FieldPath } from '../problem.ts';

/** One thing wrong inside a spec that JSON Schema can't say. The path starts inside the spec. */
export interface Finding {
  readonly path: FieldPath;
  readonly message: string;
}
