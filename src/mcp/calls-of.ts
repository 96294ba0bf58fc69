import type { McpKind } from '../authorize/mcp-members.ts';
import type { McpCall } from '../authorize/mcp-call.ts';
import type { LocatedObject } from './federation/names.ts';
import type { McpRequest } from './message.ts';
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
  const { object, method, protocolVersion } = request;
  const base = { protocolVersion, arguments: null, completion: null } as const;
  switch (object?.type) {
    case 'tool':
      if (method !== 'tools/call') return null;
      return located(locate('tool', object.name), (at) => [
        { ...base, ...at, method, kind: 'tool', arguments: object.arguments },
      ]);
    case 'prompt':
      if (method !== 'prompts/get') return null;
      return located(locate('prompt', object.name), (at) => [
        { ...base, ...at, method, kind: 'prompt', arguments: object.arguments },
      ]);
    case 'resource': {
      if (
        method !== 'resources/read' &&
        method !== 'resources/subscribe' &&
        method !== 'resources/unsubscribe'
      ) {
        return null;
      }
      return located(locate('resource', object.uri), ({ target, name }) =>
        [...new Set([name, canonicalUri(name)])].map((uri) => ({
          ...base,
          target,
          method,
          kind: 'resource',
          name: uri,
        })),
      );
    }
    case 'resources':
      if (method !== 'subscriptions/listen') return null;
      return object.uris.flatMap((uri) =>
        located(locate('resource', uri), ({ target, name }) =>
          [...new Set([name, canonicalUri(name)])].map((one) => ({
            ...base,
            target,
            method,
            kind: 'resource',
            name: one,
          })),
        ),
      );
    case 'completion': {
      if (method !== 'completion/complete') return null;
      const { ref, argument } = object;
      if (ref.type === 'prompt') {
        return located(locate('prompt', ref.name), (at) => [
          { ...base, ...at, method, kind: 'prompt', completion: argument },
        ]);
      }
      return located(locate('resource', ref.uri), ({ target, name }) =>
        [...new Set([name, canonicalTemplate(name)])].map((template) => ({
          ...base,
          target,
          method,
          kind: 'resource',
          name: template,
          completion: argument,
        })),
      );
    }
    case 'task':
    case undefined:
      return null;
  }
}

function located(
  at: LocatedObject | null,
  calls: (at: LocatedObject) => readonly McpCall[],
): readonly McpCall[] {
  return at === null ? [] : calls(at);
}
