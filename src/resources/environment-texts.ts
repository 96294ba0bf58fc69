import type { ResourceSet } from './resource.ts';

/** All texts in resources that hold something from the environment, as they are after substitution. */
export function environmentTexts(resources: ResourceSet): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const resource of resources.all) {
    for (const path of resource.origin.substituted) {
      const text = valueAt({ spec: resource.spec, ...rootOf(resource.spec) }, path);
      if (typeof text === 'string') texts.add(text);
    }
  }
  return texts;
}

/** Secret and ConfigMap have their fields at the root of the document. */
function rootOf(spec: unknown): Readonly<Record<string, unknown>> {
  return isObject(spec) ? spec : {};
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === 'number') value = value[step];
    else if (isObject(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string | number, unknown>> {
  return typeof value === 'object' && value !== null;
}
