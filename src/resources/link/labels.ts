import type { LabelSelector } from '../kinds/common.ts';
import type { ResourceSet } from '../resource.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether labels meet all requirements of a LabelSelector (meta/v1). An empty selector takes all. */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  const valueOf = (key: string): string | undefined =>
    Object.hasOwn(labels, key) ? labels[key] : undefined;

  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (valueOf(key) !== value) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = valueOf(key);
    switch (operator) {
      case 'In':
        if (value === undefined || !values.includes(value)) return false;
        break;
      case 'NotIn':
        if (value !== undefined && values.includes(value)) return false;
        break;
      case 'Exists':
        if (value === undefined) return false;
        break;
      case 'DoesNotExist':
        if (value !== undefined) return false;
        break;
    }
  }
  return true;
}

/**
 * The labels of a namespace: those of its Namespace resource, where there is one, and always
 * `kubernetes.io/metadata.name`.
 */
export function namespaceLabels(resources: ResourceSet, namespace: string): Labels {
  return {
    ...resources.find('Namespace', '', namespace)?.labels,
    'kubernetes.io/metadata.name': namespace,
  };
}
