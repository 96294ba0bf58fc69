import type { Condition } from './conditions.ts';
import { formatPath, type FieldPath, type Problem } from './problem.ts';
import { resourceLabel, type AnyResource } from './resource.ts';

/** The condition that a problem makes false, beside being shown. */
export interface Fault {
  readonly type: Condition['type'];
  readonly reason: string;
  /** The listener, parent or ancestor that it is about; absent for all of the resource. */
  readonly about?: string;
}

export interface RecordedFault extends Fault {
  readonly severity: Problem['severity'];
  readonly message: string;
}

/** Collects what is wrong while resources are linked. */
export interface Report {
  /** The resources can't be used. Without a fault the resource is `Accepted: False, Invalid`. */
  error(resource: AnyResource, path: FieldPath, message: string, fault?: Fault): void;
  /** Something has no effect, or not the expected one. */
  warning(resource: AnyResource, path: FieldPath, message: string, fault?: Fault): void;
  /** All problems, by resource in load order, then by line. */
  problems(): readonly Problem[];
  hasErrors(): boolean;
  faultsOf(resource: AnyResource): readonly RecordedFault[];
}

const invalid: Fault = { type: 'Accepted', reason: 'Invalid' };

/** Makes an empty report. The same problem at the same place is kept once. */
export function createReport(order: readonly AnyResource[]): Report {
  const problems = new Map<AnyResource, Map<string, Problem>>();
  const faults = new Map<AnyResource, RecordedFault[]>();
  let errors = 0;

  function add(
    severity: Problem['severity'],
    resource: AnyResource,
    path: FieldPath,
    message: string,
    fault: Fault | null,
  ): void {
    const problem: Problem = {
      severity,
      ...resource.origin.position(path),
      resource: resourceLabel(resource.kind, resource.namespace, resource.name),
      path: formatPath(path),
      message,
    };
    if (severity === 'error') errors += 1;
    const known = entry(problems, resource, () => new Map<string, Problem>());
    known.set(JSON.stringify([severity, problem.path, message]), problem);
    if (fault !== null) {
      entry(faults, resource, () => [] as RecordedFault[]).push({ ...fault, severity, message });
    }
  }

  return {
    error: (resource, path, message, fault) =>
      add('error', resource, path, message, fault ?? invalid),
    warning: (resource, path, message, fault) =>
      add('warning', resource, path, message, fault ?? null),
    problems: () =>
      order.flatMap((resource) =>
        [...(problems.get(resource)?.values() ?? [])].sort(
          (a, b) => a.line - b.line || a.column - b.column,
        ),
      ),
    hasErrors: () => errors > 0,
    faultsOf: (resource) => faults.get(resource) ?? [],
  };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}
