import type { McpCall } from '../authorize/mcp-call.ts';
import type { McpRequest } from './message.ts';
import { canonicalTemplate } from './read-object.ts';

/**
 * What a request asks the policies of its backend, all of which must be allowed: one question for most methods,
 * one for each URI of `subscriptions/listen`, and two for a resource, or a template, whose URI servers may read in
 * another spelling.
 *
 * @param target the name of the target that the request goes to
 * @returns `null` where the request names nothing that a rule could decide on
 */
export function callsOf(request: McpRequest, target: string): readonly McpCall[] | null {
  const { object, method, protocolVersion } = request;
  const base = { target, protocolVersion, arguments: null, completion: null } as const;
  switch (object?.type) {
    case 'tool':
      if (method !== 'tools/call') return null;
      return [{ ...base, method, kind: 'tool', name: object.name, arguments: object.arguments }];
    case 'prompt':
      if (method !== 'prompts/get') return null;
      return [{ ...base, method, kind: 'prompt', name: object.name, arguments: object.arguments }];
    case 'resource': {
      if (
        method !== 'resources/read' &&
        method !== 'resources/subscribe' &&
        method !== 'resources/unsubscribe'
      ) {
        return null;
      }
      const uris = new Set([object.uri, object.canonicalUri]);
      return [...uris].map((name) => ({ ...base, method, kind: 'resource', name }));
    }
    case 'resources':
      if (method !== 'subscriptions/listen') return null;
      return object.uris.map((name) => ({ ...base, method, kind: 'resource', name }));
    case 'completion': {
      if (method !== 'completion/complete') return null;
      const { ref, argument } = object;
      if (ref.type === 'prompt') {
        return [{ ...base, method, kind: 'prompt', name: ref.name, completion: argument }];
      }
      const templates = new Set([ref.uri, canonicalTemplate(ref.uri)]);
      return [...templates].map((name) => ({
        ...base,
        method,
        kind: 'resource',
        name,
        completion: argument,
      }));
    }
    case 'task':
    case undefined:
      return null;
  }
}
