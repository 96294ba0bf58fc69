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
  const name = object === null ? null : hiddenNameOf(sealer, binding, object, own);
  if (name === null) return null;
  const found = findValues(body, object?.type === 'completion' ? COMPLETION : NAMED);
  if (typeof found === 'number') return null;
  const edits = found.map(({ label, start, end }) => ({
    start,
    end,
    text: replacement(label, name),
  }));
  return { body: splice(body, edits), name };
}

function replacement(label: string, name: string): string {
  if (label === 'name') return `"${name}"`;
  return label === 'argument' ? '{"name":"","value":""}' : '{}';
}

function hiddenNameOf(
  sealer: Sealer,
  binding: SealBinding,
  object: McpObject,
  own: (kind: 'tool' | 'prompt' | 'resource', name: string) => string,
): string | null {
  const hide = (kind: 'tool' | 'prompt' | 'resource', name: string): string | null => {
    const ownName = own(kind, name);
    const hidden = (kind === 'resource' ? hideUri : hideName)(sealer, binding, ownName);
    if (hidden === null) return null;
    return name.endsWith(ownName) ? name.slice(0, name.length - ownName.length) + hidden : hidden;
  };
  switch (object.type) {
    case 'tool':
    case 'prompt':
      return hide(object.type, object.name);
    case 'resource':
      return hide('resource', object.uri);
    case 'completion':
      return object.ref.type === 'prompt'
        ? hide('prompt', object.ref.name)
        : hide('resource', object.ref.uri);
    case 'resources':
    case 'task':
      return null;
  }
}
