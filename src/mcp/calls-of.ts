import type { McpKind } from '../authorize/mcp-members.ts';
import type { McpCall } from '../authorize/mcp-call.ts';
import type { JsonObject } from '../json/read-json.ts';
import type { LocatedObject } from './federation/names.ts';
import type { McpPrompt, McpRequest, McpTool } from './message.ts';
import { canonicalTemplate, canonicalUri } from './read-object.ts';

/** Whose object a client's name means; `null` where no target has it. */
export type Locate = (kind: McpKind, name: string) => LocatedObject | null;

/**
 * What a request asks the policies of its backend, all of which must be allowed: one question for most methods,
 * one for each URI of `subscriptions/listen`, and two for a resource, or a template, whose URI servers may read in
 * another spelling.
 *
 * @param locate says whose object a name means, and what it is called there
 * @returns `null` where the request names nothing that a rule could decide on; nothing for a name that no target has,
 *   which goes to none
 */
export function callsOf(request: McpRequest, locate: Locate): readonly McpCall[] | null {
  const { object, method } = request;
  switch (object?.type) {
    case 'tool': {
      if (method !== 'tools/call') return null;
      const at = locate('tool', object.name);
      return at === null ? [] : [new NamedCall(request, at, method, object)];
    }
    case 'prompt': {
      if (method !== 'prompts/get') return null;
      const at = locate('prompt', object.name);
      return at === null ? [] : [new NamedCall(request, at, method, object)];
    }
    case 'resource': {
      if (
        method !== 'resources/read' &&
        method !== 'resources/subscribe' &&
        method !== 'resources/unsubscribe'
      ) {
        return null;
      }
      return resourceCalls(request, locate('resource', object.uri), method);
    }
    case 'resources':
      if (method !== 'subscriptions/listen') return null;
      return object.uris.flatMap((uri) => resourceCalls(request, locate('resource', uri), method));
    case 'completion': {
      if (method !== 'completion/complete') return null;
      const { ref, argument } = object;
      if (ref.type === 'prompt') {
        const at = locate('prompt', ref.name);
        return at === null ? [] : [call(request, at, method, 'prompt', argument)];
      }
      const at = locate('resource', ref.uri);
      if (at === null) return [];
      const templates = new Set([at.name, canonicalTemplate(at.name)]);
      return [...templates].map((name) =>
        call(request, { ...at, name }, method, 'resource', argument),
      );
    }
    case 'task':
    case undefined:
      return null;
  }
}

function resourceCalls(
  request: McpRequest,
  at: LocatedObject | null,
  method: McpCall['method'],
): readonly McpCall[] {
  if (at === null) return [];
  const uris = new Set([at.name, canonicalUri(at.name)]);
  return [...uris].map((name) => call(request, { ...at, name }, method, 'resource', null));
}

/** A call of a tool or a prompt; a rule that reads its arguments is the first that has them built. */
class NamedCall implements McpCall {
  readonly kind: 'tool' | 'prompt';
  readonly name: string;
  readonly target: string;
  readonly protocolVersion: string | null;
  readonly method: McpCall['method'];
  readonly completion = null;
  readonly #object: McpTool | McpPrompt;

  constructor(
    { protocolVersion }: McpRequest,
    { target, name }: LocatedObject,
    method: McpCall['method'],
    object: McpTool | McpPrompt,
  ) {
    this.kind = object.type;
    this.name = name;
    this.target = target;
    this.protocolVersion = protocolVersion;
    this.method = method;
    this.#object = object;
  }

  get arguments(): JsonObject {
    return this.#object.arguments;
  }
}

/** Every member by its name: to copy them from a base object took as long as parsing the body. */
function call(
  { protocolVersion }: McpRequest,
  { target, name }: LocatedObject,
  method: McpCall['method'],
  kind: McpCall['kind'],
  completion: McpCall['completion'],
): McpCall {
  return { kind, name, target, protocolVersion, method, arguments: null, completion };
}
