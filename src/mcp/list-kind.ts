/**
 * The four lists of MCP whose items a gate may hide: the method that asks for one, the member of the result
 * that holds it, and the member of an item that names it.
 */
export type ListKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** The kinds are also the names of the result's members. */
export const listKinds = Object.freeze([
  'tools',
  'prompts',
  'resources',
  'resourceTemplates',
] as const satisfies readonly ListKind[]);

const kindByMethod: ReadonlyMap<string, ListKind> = new Map<string, ListKind>([
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
]);

/** The member that an item of a list is called, read and decided on by. */
export const namingMember: Readonly<Record<ListKind, 'name' | 'uri' | 'uriTemplate'>> =
  Object.freeze({
    tools: 'name',
    prompts: 'name',
    resources: 'uri',
    resourceTemplates: 'uriTemplate',
  });

/** The list that a method asks for, or `null` for every other method. */
export function listKindOf(method: string): ListKind | null {
  return kindByMethod.get(method) ?? null;
}

/**
 * Tells whether the caller may see, and so may use, what is named: a tool, a prompt, a resource by its URI,
 * or a template by its text. Must not throw.
 */
export type IsVisible = (kind: ListKind, name: string) => boolean;
