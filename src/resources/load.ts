/** Texts of YAML or JSON to resources that are each right in themselves. */

import type { Environment } from './environment.ts';
import { createResourceSet, type AnyResource, type ResourceSet } from './resource.ts';
import { formatPath, type FieldPath, type Position, type Problem } from './problem.ts';
import { readDocumentValue, type DocumentPlace } from './read-document.ts';
import { readYaml, type YamlDocument } from './yaml/documents.ts';

/** A text and the name under which problems mention it. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

export interface LoadOptions {
  /** What `${NAME}` stands for. */
  readonly environment: Environment;
  /** Unknown fields are errors instead of warnings. */
  readonly strict?: boolean;
}

export interface Loaded {
  /** The resources without errors of their own. They are fit to use only if no problem is an error. */
  readonly resources: ResourceSet;
  /** Everything that is wrong, in the order of the texts. */
  readonly problems: readonly Problem[];
}

/** Bounds of one load. */
export const loadLimits = Object.freeze({
  maxTextLength: 4 * 1024 * 1024,
  maxResources: 20_000,
  maxProblems: 2000,
});

/**
 * Reads all texts: documents separated by `---`, JSON, and `kind: List`. Collects every problem: bad
 * syntax, unknown kinds and versions, values that the kind's schema refuses, variables that are not set,
 * names used twice. Never throws for any text.
 */
export function loadResources(texts: readonly SourceText[], options: LoadOptions): Loaded {
  const problems: Problem[] = [];
  const resources: AnyResource[] = [];
  const first = new Map<string, Position>();
  const broken = new Set<string>();

  const take = (value: unknown, place: DocumentPlace): void => {
    const read = readDocumentValue(value, place, options);
    problems.push(...read.problems);
    if (read.label === null) return;
    const here = place.position(['metadata', 'name']);
    const other = first.get(read.label);
    if (other === undefined) first.set(read.label, here);
    else {
      problems.push({
        ...here,
        severity: 'error',
        resource: read.label,
        path: 'metadata.name',
        message: `is declared twice; the first is at ${other.file}:${other.line}:${other.column}`,
      });
      return;
    }
    if (read.resource === null) broken.add(read.label);
    else resources.push(read.resource);
  };

  for (const { file, text } of texts) {
    if (text.length > loadLimits.maxTextLength) {
      problems.push(tooLarge(file));
      continue;
    }
    for (const document of readYaml(file, text.startsWith('\ufeff') ? text.slice(1) : text)) {
      const label = `document ${document.number}`;
      problems.push(
        ...document.faults.map(({ path, position, message }) => ({
          ...position,
          severity: 'error' as const,
          resource: label,
          path: formatPath(path),
          message,
        })),
      );
      if (document.faults.length === 0) unroll(document, label, take);
    }
  }
  if (resources.length > loadLimits.maxResources) {
    const position = resources[loadLimits.maxResources]?.origin.position([]);
    problems.push({
      ...(position ?? { file: '', line: 1, column: 1 }),
      severity: 'error',
      resource: 'all documents',
      path: '',
      message: `are too many: at most ${loadLimits.maxResources} resources are read`,
    });
    resources.length = loadLimits.maxResources;
  }
  return { resources: createResourceSet(resources, broken), problems: bounded(problems) };
}

/** A List is its items; anything else stands for itself. */
function unroll(
  document: YamlDocument,
  label: string,
  take: (value: unknown, place: DocumentPlace) => void,
): void {
  const placeAt = (prefix: FieldPath): DocumentPlace => ({
    label,
    prefix,
    position: (path) => document.position([...prefix, ...path]),
    keyPosition: (path) => document.keyPosition([...prefix, ...path]),
  });
  const { value } = document;
  if (isList(value)) value.items.forEach((item, index) => take(item, placeAt(['items', index])));
  else take(value, placeAt([]));
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'List' &&
    'items' in value &&
    Array.isArray(value.items)
  );
}

function tooLarge(file: string): Problem {
  const message = `is too large; at most ${loadLimits.maxTextLength} characters are read`;
  return { file, line: 1, column: 1, severity: 'error', resource: 'document 1', path: '', message };
}

/** Keeps the first problems, and says so; errors are kept before warnings. */
function bounded(problems: readonly Problem[]): readonly Problem[] {
  const { maxProblems } = loadLimits;
  if (problems.length <= maxProblems) return problems;
  const errors = problems.filter(({ severity }) => severity === 'error');
  const kept = (errors.length > 0 ? errors : problems).slice(0, maxProblems);
  const last = kept[kept.length - 1];
  if (last === undefined) return kept;
  const message = `and ${problems.length - kept.length} further problems`;
  return [...kept, { ...last, resource: 'all documents', path: '', message }];
}
