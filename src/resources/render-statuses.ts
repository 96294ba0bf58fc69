import { stringify } from 'yaml';

import type { ResourceStatus } from './conditions.ts';

/** Writes statuses as YAML documents, each as `kubectl get -o yaml` would show the resource without its spec. */
export function renderStatuses(statuses: readonly ResourceStatus[]): string {
  return statuses
    .map(({ apiVersion, kind, namespace, name, status }) =>
      stringify(
        {
          apiVersion,
          kind,
          metadata: namespace === '' ? { name } : { namespace, name },
          status,
        },
        { lineWidth: 0, aliasDuplicateObjects: false },
      ),
    )
    .join('---\n');
}
