import { findValues, type ValueTree } from './find-values.ts';
import { hideName, hideUri } from './hidden-name.ts';
import type { McpObject, McpRequest } from './message.ts';
import type { SealBinding } from './seal-binding.ts';
import type { Sealer } from './seal.ts';
import { splice } from './splice.ts';

export interface HiddenRequest {
  readonly body: Buffer;
  /** The name in the body, for `Mcp-Name`; letters, digits and what URIs need. */
  readonly name: string;
  /** What the upstream would have been told in the place of its hidden part. */
  readonly ownName: string;
}

const NAMED: ValueTree = {
  members: {
    params: {
      members: {
        name: { label: 'name' },
        uri: { label: 'name' },
        arguments: { label: 'object' },
        inputResponses: { label: 'object' },
      },
    },
  },
};
const COMPLETION: ValueTree = {
  members: {
    params: {
      members: {
        ref: { members: { name: { label: 'name' }, uri: { label: 'name' } } },
        argument: { label: 'argument' },
        context: { label: 'object' },
      },
    },
  },
};

/**
 * Makes of a denied request one for an object that is not there: the name is hidden, and what the client has to
 * say to the object (arguments, answers, what it wants completed) is left out. All else stays octet by octet, so
 * that the upstream answers it as it answers any request for what it does not have.
 *
 * @param body what `request` was read from
 * @param own what the upstream calls the object, where the client's name has something in front: that stays
 * @returns `null` for a request that names no single object, or whose name is too long to be hidden
 */
export function hideObject(
  sealer: Sealer,
  binding: SealBinding,
  request: McpRequest,
  body: Buffer,
  own: (kind: 'tool' | 'prompt' | 'resource', name: string) => string,
): HiddenRequest | null {
  const { object } = request;
  const named = object === null ? null : hide(sealer, binding, object, own);
  if (named === null) return null;
  const { name } = named;
  const found = findValues(body, object?.type === 'completion' ? COMPLETION : NAMED);
  if (typeof found === 'number') return null;
  const edits = found.map(({ label, start, end }) => ({
    start,
    end,
    text: replacement(label, name),
  }));
  return { body: splice(body, edits), ...named };
}

function replacement(label: string, name: string): string {
  if (label === 'name') return `"${name}"`;
  return label === 'argument' ? '{"name":"","value":""}' : '{}';
}

function hide(
  sealer: Sealer,
  binding: SealBinding,
  object: McpObject,
  own: (kind: 'tool' | 'prompt' | 'resource', name: string) => string,
): Pick<HiddenRequest, 'name' | 'ownName'> | null {
  const named = kindAndName(object);
  if (named === null) return null;
  const [kind, name] = named;
  const ownName = own(kind, name);
  const hidden = (kind === 'resource' ? hideUri : hideName)(sealer, binding, ownName);
  if (hidden === null) return null;
  const front = name.endsWith(ownName) ? name.slice(0, name.length - ownName.length) : '';
  return { name: front + hidden, ownName };
}

function kindAndName(object: McpObject): readonly ['tool' | 'prompt' | 'resource', string] | null {
  switch (object.type) {
    case 'tool':
    case 'prompt':
      return [object.type, object.name];
    case 'resource':
      return ['resource', object.uri];
    case 'completion':
      return object.ref.type === 'prompt'
        ? ['prompt', object.ref.name]
        : ['resource', object.ref.uri];
    case 'resources':
    case 'task':
      return null;
  }
}
